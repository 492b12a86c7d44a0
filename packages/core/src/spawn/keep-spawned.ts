import type { CompiledPlan } from "@fanfold/schemas";

/** A plan that takes the place of the one of a run, with the phases that were spawned in the run and still belong to it. */
export function keepSpawned(plan: CompiledPlan, before: CompiledPlan): CompiledPlan {
  const known = new Set(plan.phases.map(({ id }) => id));
  // a child stands behind its spawner, which may be a child itself
  const kept = before.phases.filter(({ id, spawned }) => {
    if (spawned === undefined || known.has(id) || !known.has(spawned.phase) || !known.has(spawned.copy_of))
      return false;
    known.add(id);
    return true;
  });
  return kept.length === 0 ? plan : { ...plan, phases: [...plan.phases, ...kept] };
}
