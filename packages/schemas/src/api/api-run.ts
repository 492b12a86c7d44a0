import { z } from "zod";
import { JournalLineSchema } from "../journal.ts";
import { PhaseStatusSchema, RunStatusSchema } from "../run.ts";

const timeMs = z.int().nullable();
const count = z.int().min(0);
const percent = z.number().min(0).max(100).nullable();

/** A run in a list. */
export const RunListItemSchema = z.strictObject({
  run_id: z.string(),
  plan_id: z.string(),
  plan_version: z.string(),
  status: RunStatusSchema,
  is_paused: z.boolean(),
  waiting_approvals: count.describe("Phases that wait for a person."),
  submitted_by: z.string().nullable().describe("A user of the dashboard, or the kind of client."),
  created_at_ms: z.int(),
  started_at_ms: timeMs,
  finished_at_ms: timeMs,
  tags: z.array(z.string()).describe("Tags of the plan's metadata and of its phases."),
  shards: z
    .strictObject({ total: count, succeeded: count, failed: count, running: count, waiting: count })
    .nullable()
    .describe("Null before any phase has been cut into shards."),
  percent,
  eta_sec: z.number().min(0).nullable(),
  problem: z.string().nullable().describe("What went wrong last and is not overcome."),
});
export type RunListItem = z.infer<typeof RunListItemSchema>;

/** A page of runs, newest first. */
export const RunListSchema = z.strictObject({
  runs: z.array(RunListItemSchema),
  next_cursor: z.string().nullable(),
});
export type RunList = z.infer<typeof RunListSchema>;

const CauseDocumentSchema = z.object({ code: z.string(), phase: z.string().nullable() });

/** Something that went wrong, and what can be done. */
const ProblemDocumentSchema = z.object({
  phase: z.string().nullable(),
  shard: z.int().nullable(),
  attempt: z.int().nullable(),
  error_code: z.string().nullable(),
  why: z.string(),
  next_action: z.string().nullable(),
  at_ms: z.int(),
  is_final: z.boolean(),
});

const ProgressDocumentSchema = z.object({
  percent,
  percent_mode: z.string(),
  eta_sec: z.number().nullable(),
});

const OpenShardSchema = z.object({
  shard: z.int(),
  status: z.enum(["running", "backoff", "failed"]),
  attempt: z.int().nullable(),
  worker: z.string().nullable(),
  since_ms: z.int(),
});

const PhaseDocumentSchema = z.object({
  phase: z.string(),
  status: PhaseStatusSchema,
  revision: count,
  is_stale: z.boolean(),
  stale_cause: z.string().nullable().describe("The input at the root of it, such as `context r2 → r3`."),
  depends_on: z.array(z.string()),
  started_at_ms: timeMs,
  finished_at_ms: timeMs,
  progress: ProgressDocumentSchema,
  approval: z
    .object({ message: z.string().nullable(), since_ms: z.int(), until_ms: timeMs })
    .nullable()
    .describe("What a person is asked; null while the phase waits for nobody."),
  cause: CauseDocumentSchema.nullable(),
  problem: ProblemDocumentSchema.nullable(),
  attempts: count,
  retries: count,
  lost: count,
  shards: z.object({ total: count, succeeded: count, failed: count, running: count, waiting: count }),
  open_shards: z.array(OpenShardSchema).describe("At most 200 of the running, backing-off and failed shards."),
  artifacts: z.array(z.object({ name: z.string(), sha256: z.string(), size_bytes: count })),
});

/** A run with its phases: what `fanfold status --json` prints, its edges, what was spawned, and where its journal stood. */
export const RunDetailSchema = z.object({
  run_id: z.string(),
  plan_id: z.string().nullable(),
  plan_version: z.string().nullable(),
  status: RunStatusSchema,
  is_paused: z.boolean(),
  started_at_ms: timeMs,
  finished_at_ms: timeMs,
  progress: ProgressDocumentSchema,
  phases: z.array(PhaseDocumentSchema),
  edges: z.array(
    z.strictObject({
      from: z.string(),
      to: z.string(),
      kind: z.enum(["hard", "soft"]),
      when: z.enum(["success", "failure", "always"]),
    }),
  ),
  spawned: z
    .array(
      z.strictObject({
        phase: z.string(),
        by_phase: z.string(),
        by_shard: count,
        by_attempt: z.int().min(1),
        key: z.string(),
        reason: z.string().nullable(),
      }),
    )
    .describe("Phases that attempts of others spawned, and why."),
  approvals: z.array(z.string()).describe("Phases that ask a person, now or at some time."),
  last_seq: count.describe("Last journal line this document knows of: a stream goes on after it."),
});
export type RunDetail = z.input<typeof RunDetailSchema>;

/** Journal lines of a run, and the last one there is. */
export const EventPageSchema = z.strictObject({
  events: z.array(JournalLineSchema),
  last_seq: count.describe("Position to go on after."),
});
export type EventPage = z.infer<typeof EventPageSchema>;

/** Answer to an action on a run. */
export const ActionResultSchema = z.strictObject({
  run_id: z.string(),
  status: RunStatusSchema,
  retried: z.array(z.string()).optional().describe("What is tried again."),
});
export type ActionResult = z.infer<typeof ActionResultSchema>;

/** Answer to an approval or a rejection that was taken. */
export const GivenApprovalSchema = z.strictObject({
  run_id: z.string(),
  phase: z.string(),
  revision: z.int().min(1),
  approved: z.boolean(),
});
