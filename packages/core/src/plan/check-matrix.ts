import { InstanceIdSchema } from "@fanfold/schemas";
import type { DeclaredPhase } from "./declared-phase.ts";
import { instanceId } from "./instance-table.ts";
import type { MatrixPoint } from "./matrix-points.ts";
import type { PlanDraft } from "./plan-draft.ts";
import { MAX_INSTANCE_EDGES, type PlanOutline } from "./plan-outline.ts";

/** Reports matrices that make no sense, and dependencies between them that join nothing, or too much. */
export function checkMatrices(outline: PlanOutline, draft: PlanDraft): void {
  const { phases } = outline.table;
  for (const [row, phase] of phases.entries()) {
    for (const { path, message, ...fault } of phase.matrix?.faults ?? []) {
      const place = ["phases", phase.index, "matrix", ...path];
      draft.add({ ...fault, message: `${draft.prefix(place)}${message}`, path: place });
    }
    checkIds(phase, outline.instances.points(row) ?? [], draft);
    checkEdges(row, outline, draft);
  }
  const isReadable = [...phases.keys()].every((row) => outline.instances.points(row) !== undefined);
  if (!isReadable || outline.instanceGraph !== undefined) return;
  const message = `the instances of the plan depend on each other in more than ${MAX_INSTANCE_EDGES} ways`;
  const hint = "put a phase without a matrix between two large ones that share no dimension";
  draft.add({ code: "TOO_LARGE", message, path: ["phases"], at: "key", hint });
}

function checkIds({ id = "", index }: DeclaredPhase, points: readonly MatrixPoint[], draft: PlanDraft): void {
  const longest = points
    .map((point) => instanceId(id, point))
    .find((name) => id !== "" && !InstanceIdSchema.safeParse(name).success);
  if (longest === undefined) return;
  const path = ["phases", index, "matrix"];
  const message = `${draft.prefix(path)}matrix makes an instance whose id has ${longest.length} characters, more than 300`;
  draft.add({ code: "OUT_OF_RANGE", message, path });
}

function checkEdges(row: number, { table, instances }: PlanOutline, draft: PlanDraft): void {
  const phase = table.phases[row];
  for (const { name, at } of phase?.dependsOn.names ?? []) {
    const target = table.findRow(name);
    if (target === undefined || instances.points(target) === undefined) continue;
    const shared = instances.shared(row, target);
    const points = instances.points(row) ?? [];
    const alone = points.filter((point) => instances.sources(row, point, target).length === 0);
    const [first] = alone;
    if (phase === undefined || first === undefined) continue;
    const path = ["phases", phase.index, "depends_on", at];
    const wanted = shared.map((dimension) => `${dimension}=${first[dimension]}`).join(",");
    const more = alone.length === 1 ? "" : ` (and ${alone.length - 1} more like it)`;
    const message = `${draft.prefix(path)}${instanceId(phase.id ?? "?", first)} depends on "${name}", which has no instance with ${wanted}${more}`;
    draft.add({
      code: "NO_INSTANCE",
      message,
      path,
      hint: "let both matrices have the same points along what they share",
    });
  }
}
