import type { PhaseRecord } from "@fanfold/schemas";
import { awaitsApproval } from "../run/approval.ts";
import { isPhaseOver, isRunOver } from "../run/transitions.ts";
import type { ShardFacts, WhyFacts } from "./admission-facts.ts";
import { causeClause } from "./cause-clause.ts";
import { shellWord } from "./shell-word.ts";
import { type OpenPhase, whyNoSlot, whyShard } from "./why-shard.ts";

/** What kind of reason it is. */
export type WhyCode =
  | "not_started"
  | "waits_for_phase"
  | "waits_for_approval"
  | "waits_for_lock"
  | "opening"
  | "paused"
  | "stopped"
  | "run_cap"
  | "phase_cap"
  | "key_cap"
  | "pool_cap"
  | "window"
  | "ready"
  | "no_worker"
  | "workers_busy"
  | "backoff"
  | "waits_for_spawned"
  | "circuit_open"
  | "merging"
  | "blocked"
  | "skipped"
  | "cancelled"
  | "failed"
  | "running"
  | "succeeded";

/** A reason, by its kind and in words that follow the name of what it is about. */
export interface WhyReason {
  readonly code: WhyCode;
  readonly why: string;
}

/** Why a phase, or some of its shards, are not running. */
export interface Why extends WhyReason {
  readonly phase: string;
  /** Shards it is about: how many, and the first ones by index; `null` for the phase as a whole. */
  readonly shards: { readonly count: number; readonly first: readonly number[] } | null;
}

/** What is asked about. */
export interface WhyScope {
  readonly phase?: string | undefined;
  readonly shard?: number | undefined;
}

/** Shards that a reason names. */
const MAX_SHARDS = 10;

/**
 * One reason for each thing of a run that is not running, in declaration order. What runs or has succeeded is
 * left out, unless it is what was asked about.
 *
 * @throws {CoreError} UNKNOWN_PHASE
 */
export function explainWaits(facts: WhyFacts, scope: WhyScope = {}): Why[] {
  const { graph } = facts.planned;
  if (scope.phase === undefined) return graph.ids.flatMap((id) => whyPhase(facts, id)).filter(isWaiting);
  if (scope.shard !== undefined) return [whyOneShard(facts, graph.phase(scope.phase).id, scope.shard)];
  return whyPhase(facts, graph.phase(scope.phase).id);
}

function isWaiting({ code }: Why): boolean {
  return code !== "running" && code !== "succeeded";
}

function recordOf(facts: WhyFacts, phase: string): PhaseRecord {
  return facts.phases.get(phase) ?? { status: "pending", revision: 0 };
}

function whyPhase(facts: WhyFacts, phase: string): Why[] {
  const asWhole = whyWhole(facts, phase);
  if (asWhole !== undefined) return [{ phase, shards: null, ...asWhole }];
  const open = openPhase(facts, phase);
  if (open === undefined) return [{ phase, shards: null, ...whyNotOpen(facts, phase) }];
  const reasons = whyShards(facts, phase, open);
  return reasons.length > 0 ? reasons : [{ phase, shards: null, ...whyAllRun(open) }];
}

/** The reason of a phase that is not running, or undefined. */
function whyWhole(facts: WhyFacts, phase: string): WhyReason | undefined {
  const { status, cause, asked } = recordOf(facts, phase);
  const because = cause === undefined ? "" : causeClause(cause.code, cause.phase ?? null);
  switch (status) {
    case "pending":
      return whyPending(facts, phase);
    case "blocked":
      return { code: "blocked", why: `is blocked: ${cause?.message ?? because}` };
    case "skipped":
      return { code: "skipped", why: `was skipped because ${because}` };
    case "cancelled":
      return { code: "cancelled", why: `was cancelled because ${because}` };
    case "failed":
      return { code: "failed", why: `failed: ${cause?.message ?? because}` };
    case "succeeded":
      return { code: "succeeded", why: "has succeeded" };
    case "running":
      return asked === undefined ? undefined : whyAsked(facts, phase);
  }
}

function whyAsked({ planned, run }: WhyFacts, phase: string): WhyReason {
  const { work } = planned.graph.phase(phase);
  const question = work.kind === "approval" && work.message !== null ? ` (${work.message})` : "";
  const command = `fanfold approve ${shellWord(run.run_id)} ${shellWord(phase)}`;
  return { code: "waits_for_approval", why: `waits for an approval${question}; to give it: ${command}` };
}

function whyPending(facts: WhyFacts, phase: string): WhyReason {
  if (facts.run.status === "queued") {
    return { code: "not_started", why: "waits for a scheduler to start the run" };
  }
  if (isRunOver(facts.run.status)) return { code: "stopped", why: `did not start: the run is ${facts.run.status}` };
  const { graph } = facts.planned;
  const open = graph
    .phase(phase)
    .depends_on.filter((edge) => graph.phase(edge.phase).takes_part && !isPhaseOver(recordOf(facts, edge.phase).status))
    .map((edge) => `${edge.phase} (${stateOf(recordOf(facts, edge.phase))})`);
  if (open.length === 0) return { code: "ready", why: "is about to start" };
  return { code: "waits_for_phase", why: `waits for ${open.join(", ")}` };
}

function stateOf(record: PhaseRecord): string {
  return awaitsApproval(record) ? "waits for an approval" : record.status;
}

function openPhase({ counts, planned, phases }: WhyFacts, phase: string): OpenPhase | undefined {
  const entry = counts.get(phase);
  const making = (phases.get(phase)?.revision ?? 0) + 1;
  if (entry === undefined || entry.revision !== making) return undefined;
  return { definition: planned.graph.phase(phase), counts: entry };
}

function whyNotOpen({ locks, planned, run }: WhyFacts, phase: string): WhyReason {
  const { lock } = planned.graph.phase(phase);
  const holder = lock === null ? undefined : locks.get(lock.name);
  if (lock === null || holder === undefined || holder === `${phase} of ${run.run_id}`) {
    return { code: "opening", why: "is being cut into shards" };
  }
  return { code: "waits_for_lock", why: `waits for lock ${lock.name}, held by ${holder}` };
}

/** Every shard that is running or has succeeded: then what is left is the merge. */
function whyAllRun({ counts }: OpenPhase): WhyReason {
  const isDone = counts.in_flight === 0 && counts.next >= counts.total && counts.held === 0;
  return isDone ? { code: "merging", why: "is being merged" } : { code: "running", why: "runs" };
}

function whyShards(facts: WhyFacts, phase: string, open: OpenPhase): Why[] {
  const reasons = (facts.shards.get(phase) ?? []).map((shard) => ({
    shard: shard.shard,
    ...whyShard(facts, open, shard),
  }));
  const { next, total, ahead = 0 } = open.counts;
  const grouped = groupByReason(phase, reasons);
  if (next >= total) return grouped;
  const unreleased = { count: total - next - ahead, first: indexesFrom(next, total) };
  return [...grouped, { phase, shards: unreleased, ...whyUnreleased(facts, open) }];
}

function whyUnreleased(facts: WhyFacts, open: OpenPhase): WhyReason {
  if (open.counts.tripped === 1) {
    return { code: "circuit_open", why: `${open.counts.max_consecutive} shards failed in a row` };
  }
  return whyNoSlot(facts, open);
}

function whyOneShard(facts: WhyFacts, phase: string, shard: number): Why {
  const shards = { count: 1, first: [shard] };
  const open = openPhase(facts, phase);
  const asWhole = whyWhole(facts, phase);
  const known = (facts.shards.get(phase) ?? []).find((one) => one.shard === shard);
  if (known !== undefined && open !== undefined) return { phase, shards, ...whyShard(facts, open, known) };
  if (open === undefined) return { phase, shards, ...(asWhole ?? whyNotOpen(facts, phase)) };
  if (shard < open.counts.next) return { phase, shards, ...settled(facts, phase, shard) };
  return { phase, shards, ...(asWhole ?? whyUnreleased(facts, open)) };
}

function settled({ holders }: WhyFacts, phase: string, shard: number): WhyReason {
  const holder = holders.find((one) => one.phase === phase && one.shard === shard);
  if (holder === undefined) return { code: "succeeded", why: "has succeeded" };
  return { code: "running", why: `runs on ${holder.worker ?? "a worker"}` };
}

function groupByReason(phase: string, reasons: readonly (WhyReason & Pick<ShardFacts, "shard">)[]): Why[] {
  const groups = new Map<string, WhyReason & { readonly all: number[] }>();
  for (const { shard, code, why } of reasons) {
    const group = groups.get(why) ?? { code, why, all: [] };
    group.all.push(shard);
    groups.set(why, group);
  }
  return [...groups.values()].map(({ code, why, all }) => {
    const first = all.sort((a, b) => a - b).slice(0, MAX_SHARDS);
    return { phase, shards: { count: all.length, first }, code, why };
  });
}

function indexesFrom(from: number, to: number): number[] {
  return Array.from({ length: Math.min(MAX_SHARDS, to - from) }, (_, i) => from + i);
}
