import { z } from "zod";
import { ArtifactNameSchema, InstanceIdSchema, PlanIdSchema, RunIdSchema } from "../ids.ts";
import { ArtifactTypeSchema } from "../artifact.ts";
import { LineageDirectionSchema } from "../lineage.ts";
import { RunStatusSchema } from "../run.ts";
import { ShardStandSchema } from "./api-shard.ts";

const wholeNumber = (min: number, max: number = Number.MAX_SAFE_INTEGER) => z.coerce.number().int().min(min).max(max);
const limit = (preset: number, max: number) => wholeNumber(1, max).default(preset);
const cursor = z.string().min(1).max(300).optional().describe("`next_cursor` of the page before.");
const shardIndex = wholeNumber(0, 10_000_000);

/** Several values, repeated or apart by commas. */
function listOf<Item extends z.ZodType<string>>(item: Item) {
  return z.preprocess((value) => (typeof value === "string" ? value.split(",") : value), z.array(item).max(50));
}

/** Nothing at all. */
export const NothingSchema = z.strictObject({}).prefault({});

/** A run. */
export const RunParamsSchema = z.strictObject({ run: RunIdSchema });
/** A phase of a run. */
export const PhaseParamsSchema = z.strictObject({ run: RunIdSchema, phase: InstanceIdSchema });
/** A shard of a phase. */
export const ShardParamsSchema = z.strictObject({ ...PhaseParamsSchema.shape, shard: shardIndex });
export type ShardParams = z.infer<typeof ShardParamsSchema>;
/** An attempt of a shard. */
export const AttemptParamsSchema = z.strictObject({ ...ShardParamsSchema.shape, attempt: wholeNumber(1) });
export type AttemptParams = z.infer<typeof AttemptParamsSchema>;
/** An artifact of a phase. */
export const ArtifactParamsSchema = z.strictObject({ ...PhaseParamsSchema.shape, name: ArtifactNameSchema });

/** Which runs to list. */
export const RunQuerySchema = z.strictObject({
  status: listOf(z.enum([...RunStatusSchema.options, "paused", "asking"])).optional(),
  plan: PlanIdSchema.optional(),
  tag: z.string().min(1).max(300).optional(),
  q: z.string().max(300).optional().describe("Part of an id, a plan, a tag or a problem; case does not matter."),
  since_ms: wholeNumber(0).optional().describe("Created at or after, Unix ms."),
  until_ms: wholeNumber(0).optional().describe("Created at or before, Unix ms."),
  cursor,
  limit: limit(50, 200),
});
export type RunQuery = z.infer<typeof RunQuerySchema>;

/** Which journal lines to read. */
export const EventQuerySchema = z.strictObject({
  after: wholeNumber(0).default(0).describe("Position to go on after."),
  limit: limit(500, 5_000),
  phase: InstanceIdSchema.optional(),
  shard: shardIndex.optional(),
});
export type EventQuery = z.infer<typeof EventQuerySchema>;

/** Where a stream goes on; `Last-Event-ID` wins. */
export const StreamQuerySchema = z.strictObject({ after: wholeNumber(0).default(0) });

/** Which shards to list, and in which order. */
export const ShardQuerySchema = z.strictObject({
  status: listOf(ShardStandSchema).optional(),
  q: z.string().max(300).optional().describe("Beginning of an index, or part of a worker's name or of a failure."),
  sort: z.enum(["index", "duration", "attempts"]).default("index"),
  order: z.enum(["asc", "desc"]).default("asc"),
  cursor,
  limit: limit(100, 1_000),
});
export type ShardQuery = z.infer<typeof ShardQuerySchema>;

/** Which part of an output to read. */
export const LogQuerySchema = z.strictObject({
  offset: wholeNumber(0).default(0).describe("Byte to begin at."),
  limit: limit(256 * 1024, 4 * 1024 * 1024).describe("Most bytes."),
  download: z.enum(["0", "1"]).default("0").describe("1: the whole output as text/plain."),
});
export type LogQuery = z.infer<typeof LogQuerySchema>;

/** How to hand out an artifact. */
export const ArtifactQuerySchema = z.strictObject({
  download: z.enum(["0", "1"]).default("0").describe("1: always as an attachment."),
  limit: wholeNumber(1).optional().describe("Only so many of the first bytes."),
});

/** An artifact by its id. */
export const ArtifactIdParamsSchema = z.strictObject({
  run: RunIdSchema,
  artifact_id: z.string().regex(/^art_[0-9a-f]{24}$/, "not the id of an artifact"),
});

/** Which artifacts of a run to list. */
export const ArtifactListQuerySchema = z.strictObject({
  phase: InstanceIdSchema.optional(),
  revision: wholeNumber(1).optional(),
  shard: shardIndex.optional(),
  type: ArtifactTypeSchema.optional(),
  name: z.string().min(1).max(300).optional().describe("Part of a name; case does not matter."),
  outputs: z.enum(["0", "1"]).default("0").describe("1: only what belongs to phases as a whole."),
  cursor: z.string().min(1).max(1_000).optional().describe("`next_cursor` of the page before."),
  limit: limit(100, 1_000),
});

/** Where an artifact is that is asked for by its id. */
export const ArtifactPlaceQuerySchema = z.strictObject({
  phase: InstanceIdSchema.optional().describe("Where it is: it is found sooner."),
  shard: shardIndex.optional(),
});

/** How to hand out an artifact that is asked for by its id. */
export const ArtifactContentQuerySchema = z.strictObject({
  ...ArtifactQuerySchema.shape,
  ...ArtifactPlaceQuerySchema.shape,
});

/** Where lineage begins, and which way it goes. */
export const LineageQuerySchema = z.strictObject({
  of: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe("`PHASE`, `PHASE@r2` or an artifact; all of the run when missing."),
  direction: LineageDirectionSchema.default("both"),
});

/** What of a run to cancel; all of it when empty. */
export const CancelRequestSchema = z
  .strictObject({ phase: InstanceIdSchema.optional(), shard: shardIndex.optional() })
  .prefault({});

/** What of a run to retry; all that failed when empty. */
export const RetryRequestSchema = z
  .strictObject({
    phase: InstanceIdSchema.optional(),
    shard: shardIndex.optional(),
    shards: z.array(shardIndex).min(1).max(10_000).optional(),
    all_failed: z.boolean().optional().describe("Everything that failed; the default when nothing is named."),
  })
  .prefault({})
  .refine(({ phase, shard, shards }) => phase !== undefined || (shard === undefined && shards === undefined), {
    message: "a shard needs its phase",
  });
export type RetryRequest = z.infer<typeof RetryRequestSchema>;
