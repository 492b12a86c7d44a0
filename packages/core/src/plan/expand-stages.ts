import type { ArrangedPhase } from "./arranged-phase.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PlanDraft } from "./plan-draft.ts";
import { isMap } from "./plan-path.ts";
import type { PlanPath } from "./plan-problem.ts";

/** Ids of the phases of each stage, by the stage's id. */
export type StageMembers = ReadonlyMap<string, readonly string[]>;

/** Names under which a stage lists its phases. */
const LIST_KEYS = ["phases", "jobs"] as const;

interface Stage {
  readonly id: string | undefined;
  readonly members: readonly Member[];
}

interface Member {
  readonly id: string | undefined;
  readonly path: PlanPath;
  /** The phase itself, where it is written in the stage. */
  readonly inline: Record<string, unknown> | undefined;
}

/**
 * Turns `stages` into plain phases: those written inside a stage join the plan's list, behind the ones that stand there,
 * and each phase of a stage that names no dependencies gets all phases of the stage before. What is wrong with the
 * stages themselves is left to the check of the structure, in which inline phases are only names.
 */
export function expandStages(draft: PlanDraft): StageMembers {
  const { stages } = draft.value;
  if (!Array.isArray(stages)) return new Map();
  const read = stages.map((stage: unknown, index) => readStage(stage, index));
  const written = read.flatMap(({ members }) =>
    members.flatMap(({ inline, path }) => (inline === undefined ? [] : [{ value: inline, origin: path }])),
  );
  const phases = [...draft.arranged(), ...written];
  checkStages(read, phases, draft);
  if (phases.length > 0) draft.arrange(withStageEdges(phases, read));
  draft.value = { ...draft.value, stages: stages.map(withoutInline) };
  return new Map(read.flatMap(({ id, members }) => (id === undefined ? [] : [[id, idsOf(members)]])));
}

function readStage(stage: unknown, index: number): Stage {
  if (!isMap(stage)) return { id: undefined, members: [] };
  const key = LIST_KEYS.find((name) => Array.isArray(stage[name]));
  const list: unknown = key === undefined ? [] : stage[key];
  const members = (Array.isArray(list) ? list : []).map((entry: unknown, at) => ({
    id: textOf(isMap(entry) ? entry["id"] : entry),
    path: ["stages", index, key ?? "phases", at],
    inline: isMap(entry) ? entry : undefined,
  }));
  return { id: textOf(stage["id"]), members };
}

function withoutInline(stage: unknown): unknown {
  if (!isMap(stage)) return stage;
  const lists = LIST_KEYS.flatMap((key) => {
    const list = stage[key];
    return Array.isArray(list) ? [[key, list.map(nameOf)] as const] : [];
  });
  return { ...stage, ...Object.fromEntries(lists) };
}

/** Something that has the form of an id, where the phase itself is written. */
function nameOf(entry: unknown): unknown {
  return isMap(entry) ? "inline" : entry;
}

function withStageEdges(phases: readonly ArrangedPhase[], stages: readonly Stage[]): ArrangedPhase[] {
  const known = new Set(phases.flatMap(({ value }) => (isMap(value) ? (textOf(value["id"]) ?? []) : [])));
  const before = new Map<string, readonly string[]>();
  for (const [index, { members }] of stages.entries()) {
    const earlier = idsOf(stages[index - 1]?.members ?? []).filter((id) => known.has(id));
    for (const id of idsOf(members)) if (!before.has(id)) before.set(id, earlier);
  }
  const given = new Set<string>();
  return phases.map((phase) => {
    const { value, origin } = phase;
    const id = isMap(value) ? textOf(value["id"]) : undefined;
    const earlier = id === undefined || given.has(id) ? undefined : before.get(id);
    if (id !== undefined) given.add(id);
    if (!isMap(value) || earlier === undefined || earlier.length === 0 || value["depends_on"] !== undefined)
      return phase;
    return { value: { ...value, depends_on: earlier }, origin, edges: earlier.map(() => origin) };
  });
}

function checkStages(stages: readonly Stage[], phases: readonly ArrangedPhase[], draft: PlanDraft): void {
  const ids = new Set(phases.flatMap(({ value }) => (isMap(value) ? (textOf(value["id"]) ?? []) : [])));
  const suggester = new NameSuggester(ids);
  const seen = new Map<string, number>();
  const owners = new Map<string, string>();
  for (const [index, { id, members }] of stages.entries()) {
    checkList(draft, index);
    const name = id ?? `number ${index + 1}`;
    const first = id === undefined ? undefined : seen.get(id);
    if (id !== undefined) seen.set(id, first ?? index);
    if (first !== undefined) {
      const message = `stage id "${id}" is already taken by stages[${first}]`;
      draft.add({ code: "DUPLICATE_STAGE", message, path: ["stages", index, "id"] });
    }
    for (const member of members) {
      if (member.id === undefined) continue;
      const owner = owners.get(member.id);
      owners.set(member.id, owner ?? name);
      if (owner !== undefined && (member.inline === undefined || owner !== name)) {
        const message = `stage "${name}" has the phase "${member.id}", which stage "${owner}" has already`;
        draft.add({ code: "DUPLICATE_STAGE", message, path: member.path });
      } else if (!ids.has(member.id)) {
        const message = `stage "${name}" has the phase "${member.id}", but no phase has that id`;
        draft.add({ code: "UNKNOWN_PHASE", message, path: member.path, hint: suggester.hint(member.id) });
      }
    }
  }
}

function checkList(draft: PlanDraft, index: number): void {
  const { stages } = draft.value;
  const stage: unknown = Array.isArray(stages) ? stages[index] : undefined;
  if (!isMap(stage)) return;
  const [first, second] = LIST_KEYS.filter((key) => stage[key] !== undefined);
  const path = ["stages", index];
  if (first === undefined) {
    draft.add({ code: "MISSING_KEY", message: `"phases" is missing in stages[${index}]`, path });
  } else if (second !== undefined) {
    const message = `${first} and ${second} are two names of the same list; give one of them`;
    draft.add({ code: "MISPLACED_FIELD", message, path: [...path, second], at: "key" });
  }
}

function idsOf(members: readonly Member[]): string[] {
  return [...new Set(members.flatMap(({ id }) => id ?? []))];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
