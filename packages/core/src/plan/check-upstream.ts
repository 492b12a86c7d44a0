import type { NearText } from "./plan-document.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanOutline } from "./plan-outline.ts";
import type { PlanPath, PlanProblemCode } from "./plan-problem.ts";
import { Reachability } from "./reachability.ts";

/** Something of another phase that a phase needs to be done before it starts. Rows are those of the phase table. */
export interface UpstreamNeed {
  readonly row: number;
  readonly provider: number;
  /** Position of the one instance that is meant; without it, those that belong to the instance that needs them. */
  readonly position?: number | undefined;
  readonly code: PlanProblemCode;
  readonly path: PlanPath;
  readonly near?: NearText;
  /** What the phase does with it, such as `reads "lines"`. */
  readonly verb: string;
  /** What the provider has to do with it, such as `, which provides it`. */
  readonly relation: string;
}

/**
 * Reports what is not made before it is needed. Direct dependencies answer most needs; the rest of the graph is
 * looked at only for those they do not. A phase whose dependencies are not all known gets an edge to a node that
 * stands for them: what leads there is left in doubt.
 */
export function checkUpstream(needs: readonly UpstreamNeed[], outline: PlanOutline, draft: PlanDraft): void {
  const { edges, incompleteRows } = outline.dependencies;
  const direct = edges.map((targets) => new Set(targets));
  const indirect = needs.filter(
    ({ row, provider, position }) => position !== undefined || direct[row]?.has(provider) !== true,
  );
  if (indirect.length === 0) return;
  const doubt = edges.length;
  const doubtful = edges.map((targets, row) => (incompleteRows.has(row) ? [...targets, doubt] : targets));
  const upstream = new Reachability([...doubtful, []], [doubt, ...indirect.map(({ provider }) => provider)]);
  const late = indirect.filter(
    ({ row, provider }) => !upstream.reaches(row, provider) && !upstream.reaches(row, doubt),
  );
  const downstream = new Reachability(edges, new Set(late.map(({ row }) => row)));
  for (const need of late) reportLate(need, downstream.reaches(need.provider, need.row), outline, draft);
  const early = indirect.filter(({ row, provider }) => upstream.reaches(row, provider));
  if (outline.instances.hasMatrix()) checkInstances(early, outline, draft);
}

function reportLate(need: UpstreamNeed, isLater: boolean, { table }: PlanOutline, draft: PlanDraft): void {
  const { code, path, near, verb, relation } = need;
  const subject = `${draft.prefix(path)}${verb}`;
  const provider = table.phases[need.provider]?.id ?? "";
  const place = { code, path, ...(near === undefined ? {} : { near }) };
  if (need.provider === need.row) {
    draft.add({ ...place, message: `${subject}, which ${relation === "" ? "is the phase" : "it provides"} itself` });
  } else if (isLater) {
    const who = `"${provider}"${relation === "" ? "" : `${relation},`}`;
    draft.add({ ...place, message: `${subject}, but ${who} runs after this phase` });
  } else {
    const message = `${subject}, but does not depend on "${provider}"${relation}`;
    draft.add({ ...place, message, hint: `add "${provider}" to depends_on` });
  }
}

/** A phase may depend on another one, and yet some instance of it not on the instance whose work it needs. */
function checkInstances(needs: readonly UpstreamNeed[], outline: PlanOutline, draft: PlanDraft): void {
  const graph = outline.instanceGraph;
  if (graph === undefined || needs.length === 0) return;
  const { instances } = outline;
  const providers = new Set(needs.map(({ provider }) => provider));
  const targets = [...providers].flatMap((row) => (instances.points(row) ?? []).map((_, at) => graph.node(row, at)));
  const upstream = new Reachability(graph.edges, targets);
  for (const need of needs) {
    const { row, provider, position, code, path, near, verb, relation } = need;
    const pairs = (instances.points(row) ?? []).flatMap((point, at) =>
      (position === undefined ? instances.sources(row, point, provider) : [position]).map(
        (source) => [at, source] as const,
      ),
    );
    const late = pairs.find(([at, source]) => !upstream.reaches(graph.node(row, at), graph.node(provider, source)));
    if (late === undefined) continue;
    const [at, source] = late;
    const reader = outline.instanceName(row, at);
    const owner = outline.instanceName(provider, source);
    const message = `${draft.prefix(path)}${verb}, but ${reader} does not depend on ${owner}${relation}`;
    const hint = position === undefined ? `add "${outline.table.phases[provider]?.id ?? ""}" to depends_on` : undefined;
    draft.add({ code, path, ...(near === undefined ? {} : { near }), message, hint });
  }
}
