import { type ApprovalAnswer, approvalArtifactName, approvalOutput, awaitsApproval, isApproval } from "@fanfold/core";
import { type Artifact, MAX_COMMENT_CHARS, type PhaseRecord } from "@fanfold/schemas";
import type { PhaseRef } from "@fanfold/store";
import { carryOut } from "./carry-out.ts";
import { artifactOf } from "./content.ts";
import { EngineError } from "./engine-error.ts";
import type { EngineWorkings } from "./engine-workings.ts";

/** What somebody answers, and to which revision of the phase. */
export type ApprovalOrder = ApprovalAnswer & { readonly revision?: number | undefined };

/** What became of an answer: the phase, and the revision or failure that it led to. */
export interface GivenApproval {
  readonly run_id: string;
  readonly phase: string;
  readonly revision: number;
  readonly approved: boolean;
}

/**
 * Answers a phase that waits for a person. Of two answers the first one counts, and the other one is refused.
 *
 * @param answer.revision the one it is about; whichever is asked about when absent
 * @throws {StoreError} RUN_NOT_FOUND
 * @throws {EngineError} UNKNOWN_PHASE, NOT_AN_APPROVAL, COMMENT_TOO_LONG; NOT_ASKED when nobody waits for an answer any more, or not yet
 */
export async function answerApproval(
  workings: EngineWorkings,
  runId: string,
  phase: string,
  { revision: wanted, ...answer }: ApprovalOrder,
): Promise<GivenApproval> {
  const { states, clock } = workings;
  if (answer.comment.length > MAX_COMMENT_CHARS) {
    throw new EngineError("COMMENT_TOO_LONG", `the comment has more than ${MAX_COMMENT_CHARS} characters`);
  }
  for (;;) {
    const { run, graph, phases } = await states.load(runId);
    if (!graph.has(phase)) {
      throw new EngineError("UNKNOWN_PHASE", `run ${runId} has no phase ${phase}; it has ${graph.ids.join(", ")}`);
    }
    const definition = graph.phase(phase);
    if (!isApproval(definition)) {
      throw new EngineError("NOT_AN_APPROVAL", `phase ${phase} does not wait for an approval: it runs by itself`);
    }
    const record = phases.get(phase) ?? { status: "pending", revision: 0 };
    if (!awaitsApproval(record)) throw new EngineError("NOT_ASKED", whyNotAsked(phase, record));
    const revision = record.revision + 1;
    if (wanted !== undefined && wanted !== revision) {
      throw new EngineError("NOT_ASKED", `phase ${phase} asks about revision ${revision} now, not about ${wanted}`);
    }
    const text = approvalOutput(answer, clock.nowMs());
    const artifact = artifactOf(approvalArtifactName(definition), { inline: text }, { format: "json" });
    const trigger = { type: "approve", phase, revision, answer, artifact } as const;
    const effects = await states.apply(runId, trigger, { version: run.version });
    if (effects === "stale") continue;
    await carryOut(workings, runId, effects);
    return { run_id: runId, phase, revision, approved: answer.approved };
  }
}

/** Fails an approval that nobody has given in time, unless it was asked for anew since. */
export async function timeOutApproval(
  workings: EngineWorkings,
  runId: string,
  { phase, revision, atMs }: PhaseRef & { readonly atMs: number },
): Promise<void> {
  await workings.decideOn(runId, { type: "approval_timeout", phase, revision, atMs });
}

/** Ends the waits whose job is gone, and whose time is up. */
export async function sweepApprovals(
  workings: EngineWorkings,
  runId: string,
  phases: ReadonlyMap<string, PhaseRecord>,
): Promise<void> {
  for (const [phase, record] of phases) {
    const atMs = awaitsApproval(record) ? record.asked?.until_ms : undefined;
    if (atMs === undefined || atMs > workings.clock.nowMs()) continue;
    await timeOutApproval(workings, runId, { phase, revision: record.revision + 1, atMs });
  }
}

function whyNotAsked(phase: string, record: PhaseRecord): string {
  const { status, cause, artifacts = [] } = record;
  if (status === "pending") return `phase ${phase} has not asked yet: it waits for what comes before it`;
  if (status === "succeeded") return `phase ${phase} was approved already${by(artifacts)}`;
  if (cause?.code === "approval_rejected") return `phase ${phase} is answered already: ${cause.message}`;
  return `phase ${phase} is over: ${status}${cause?.message === undefined ? "" : `, ${cause.message}`}`;
}

function by([answer]: readonly Artifact[]): string {
  const name = /"by":"([^"\\]*)"/.exec(answer?.inline ?? "")?.[1];
  return name === undefined ? "" : ` by ${name}`;
}
