import type { CompiledPhase, CompiledPlan } from "@fanfold/schemas";

/** What a run does with earlier outputs, apart from what its plan says. */
export interface ReuseChoice {
  /** Reuses nothing, and keeps nothing to be reused. */
  readonly noCache?: boolean;
  /** Phases, or instances of a matrix, whose shards all run, and whose outputs replace the earlier ones. */
  readonly refresh?: readonly string[];
}

/** The plan with a choice for one run, and the names in it that are no phases of the plan. */
export function chooseReuse(
  plan: CompiledPlan,
  { noCache = false, refresh = [] }: ReuseChoice,
): { readonly plan: CompiledPlan; readonly unknown: readonly string[] } {
  const names = new Set(plan.phases.flatMap(({ id, template }) => [id, template]));
  const refreshed = new Set(refresh);
  const phases = plan.phases.map((phase) => {
    if (phase.reuse === undefined) return phase;
    if (noCache) return withoutReuse(phase);
    const isRefreshed = refreshed.has(phase.id) || refreshed.has(phase.template);
    return isRefreshed ? { ...phase, reuse: { ...phase.reuse, refresh: true } } : phase;
  });
  return { plan: { ...plan, phases }, unknown: refresh.filter((name) => !names.has(name)) };
}

/** Whether the outputs of a phase can be told apart well enough to be reused. */
export function isReusable({ reuse }: CompiledPhase): boolean {
  return reuse !== undefined && (reuse.version !== null || reuse.code !== null);
}

function withoutReuse({ reuse: _reuse, ...phase }: CompiledPhase): CompiledPhase {
  return phase;
}
