import { z } from "zod";
import { ArtifactTypeSchema } from "../artifact.ts";

const count = z.int().min(0);

/** What somebody may do in the dashboard: look, or change things as well. */
export const RoleSchema = z.enum(["viewer", "operator"]);
export type Role = z.infer<typeof RoleSchema>;

/** Who asks. */
export const MeSchema = z.strictObject({
  user: z.string().nullable().describe("Null before a login."),
  role: RoleSchema.nullable().describe("Null before a login."),
  is_login_needed: z.boolean(),
});
export type Me = z.infer<typeof MeSchema>;

/** A login. */
export const LoginSchema = z.strictObject({
  user: z.string().min(1).max(100),
  password: z.string().min(1).max(1_000),
});

/** A pool: its workers, and its queue. */
export const PoolSchema = z.strictObject({
  pool: z.string(),
  workers: count.describe("Workers that serve it now."),
  waiting: count,
  active: count,
  delayed: count,
  failed: count,
});
export type PoolDocument = z.infer<typeof PoolSchema>;

/** A worker that is connected. */
export const WorkerSchema = z.strictObject({
  name: z.string(),
  pools: z.array(z.string()),
  address: z.string().nullable().describe("Where Redis sees it."),
  age_sec: count.describe("Since it connected."),
  concurrency: count.nullable().describe("Shards it runs at once, of each pool; null for one that does not say so."),
  slots: count.nullable().describe("Shards it can be at, over all its pools."),
  active: count.describe("Shards it is at."),
  shards: z
    .array(z.strictObject({ run_id: z.string(), phase: z.string(), shard: count }))
    .describe("The first 20 of them."),
  is_draining: z.boolean().describe("Whether it was asked to stop: it finishes what it has and takes nothing new."),
});
export type WorkerDocument = z.infer<typeof WorkerSchema>;

/** A worker by its name. */
export const WorkerParamsSchema = z.strictObject({ worker: z.string().min(1).max(300) });

/** Answer to the request that a worker stops. */
export const DrainedSchema = z.strictObject({ worker: z.string(), is_draining: z.literal(true) });

/** An artifact of the latest accepted revision of a phase. */
export const ArtifactDocumentSchema = z.strictObject({
  phase: z.string(),
  revision: count,
  name: z.string(),
  size_bytes: count,
  sha256: z.string(),
  media_type: z.string().describe("As its maker says, else by its name, else by its first bytes."),
  artifact_id: z.string(),
  type: ArtifactTypeSchema,
  format: z.string().nullable(),
  metadata: z.record(z.string(), z.json()),
});
export type ArtifactDocument = z.infer<typeof ArtifactDocumentSchema>;
