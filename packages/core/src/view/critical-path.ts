/** A phase as the critical path sees it. */
export interface TimedPhase {
  readonly phase: string;
  readonly depends_on: readonly string[];
  /** How long it took, in ms; `null` when it never started. */
  readonly duration_ms: number | null;
}

/** The chain of phases that took longest, from its first to its last. */
export interface CriticalPath {
  readonly duration_ms: number;
  readonly phases: readonly string[];
}

interface Chain {
  readonly durationMs: number;
  readonly last: TimedPhase;
  readonly before: Chain | undefined;
}

/**
 * The longest chain of phases along their dependencies, by the sum of their durations: the run could not have been
 * shorter however many workers there were. Phases that never started link a chain, but are not named. Of chains
 * of the same length the one that ends at the phase declared first is taken. Linear in phases and edges; a
 * cycle, which no plan has, is left out.
 */
export function findCriticalPath(phases: readonly TimedPhase[]): CriticalPath {
  const chains = new Map<string, Chain>();
  for (const phase of inDependencyOrder(phases)) {
    const before = longestOf(phase.depends_on.map((source) => chains.get(source)));
    const chain = { durationMs: (before?.durationMs ?? 0) + (phase.duration_ms ?? 0), last: phase, before };
    chains.set(phase.phase, chain);
  }
  const longest = longestOf(phases.map(({ phase }) => chains.get(phase)));
  return { duration_ms: longest?.durationMs ?? 0, phases: namesOf(longest) };
}

function longestOf(chains: readonly (Chain | undefined)[]): Chain | undefined {
  let longest: Chain | undefined;
  for (const chain of chains) {
    if (chain !== undefined && (longest === undefined || chain.durationMs > longest.durationMs)) longest = chain;
  }
  return longest;
}

function namesOf(chain: Chain | undefined): string[] {
  const names: string[] = [];
  for (let link = chain; link !== undefined; link = link.before) {
    if (link.last.duration_ms !== null) names.push(link.last.phase);
  }
  return names.toReversed();
}

/** Phases after all they depend on; a source that is not among them is nothing to wait for. */
function inDependencyOrder(phases: readonly TimedPhase[]): TimedPhase[] {
  const dependents = new Map<string, TimedPhase[]>(phases.map(({ phase }) => [phase, []]));
  const openSources = new Map<TimedPhase, number>();
  for (const phase of phases) {
    const known = new Set(phase.depends_on.filter((source) => dependents.has(source)));
    for (const source of known) dependents.get(source)?.push(phase);
    openSources.set(phase, known.size);
  }
  const ordered = phases.filter((phase) => openSources.get(phase) === 0);
  for (const { phase } of ordered) {
    for (const dependent of dependents.get(phase) ?? []) {
      const open = (openSources.get(dependent) ?? 0) - 1;
      openSources.set(dependent, open);
      if (open === 0) ordered.push(dependent);
    }
  }
  return ordered;
}
