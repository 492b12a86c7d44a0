import { z } from "zod";
import { ContentSchema } from "./artifact.ts";
import { ArtifactNameSchema, InstanceIdSchema } from "./ids.ts";

/** Depth of children that a phase may spawn where it names none: its own children are at depth 1. */
export const DEFAULT_MAX_SPAWN_DEPTH = 3;
/** Children that a shard may spawn in one revision where its phase names no number. */
export const DEFAULT_MAX_SPAWNED = 20;
/** Children that all shards of a run may spawn together. */
export const MAX_SPAWNED_IN_RUN = 1_000;
/** Largest request of an attempt for one child, as JSON, in bytes. */
export const MAX_SPAWN_REQUEST_BYTES = 64 * 1024;

/** What a spawner tells its child of the reason: what came to nothing, and who wants it mended. */
const RegressionContextSchema = z.strictObject({
  reason: z.string().min(1).max(10_000).optional(),
  requested_by: z.string().min(1).max(400).optional(),
  output: z.json().optional(),
});

/** What an attempt asks for when it spawns a child. */
export const SpawnRequestSchema = z.strictObject({
  /** Phase marked `spawnable`, or one instance of its matrix. */
  phase: InstanceIdSchema,
  /** Tells the children of one attempt apart; also the name of the directory of the child's artifacts. */
  key: ArtifactNameSchema,
  regression_context: RegressionContextSchema.optional(),
  prompt: z.string().max(MAX_SPAWN_REQUEST_BYTES).optional(),
  variables: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "not a name of a variable"), z.string()).optional(),
});
export type SpawnRequest = z.infer<typeof SpawnRequestSchema>;

/** Characters of the reason for a child that its records and events show. */
export const MAX_SPAWN_REASON_CHARS = 400;

/** What a phase may spawn, and whether others may spawn it; compiled. */
export const CompiledSpawnSchema = z.strictObject({
  spawnable: z.boolean(),
  /** Depth that its children, and theirs, may have; at most that of its own spawner. */
  max_depth: z.int().min(0),
  /** Children that one of its shards may spawn in one revision. */
  max_spawned: z.int().min(0),
});
export type CompiledSpawn = z.infer<typeof CompiledSpawnSchema>;

/** Where a phase comes from that was spawned: the attempt that asked for it, and what it asked for. */
export const SpawnedBySchema = z.strictObject({
  phase: InstanceIdSchema,
  revision: z.int().min(1),
  shard: z.int().min(0),
  attempt: z.int().min(1),
  key: ArtifactNameSchema,
  /** 1 for a child of a phase of the plan. */
  depth: z.int().min(1),
  /** Declared phase, or instance of one, that it is a copy of. */
  copy_of: InstanceIdSchema,
  /** Beginning of the reason that was given. */
  reason: z.string().max(MAX_SPAWN_REASON_CHARS).optional(),
  /** The {@link SpawnRequestSchema}, as JSON. */
  request: ContentSchema,
});
export type SpawnedBy = z.infer<typeof SpawnedBySchema>;

/** A child in the record of the shard that spawned it. */
export const SpawnedChildSchema = z.strictObject({
  /** Id of the child's phase. */
  child: InstanceIdSchema,
  copy_of: InstanceIdSchema,
  attempt: z.int().min(1),
  key: ArtifactNameSchema,
  reason: z.string().max(MAX_SPAWN_REASON_CHARS).optional(),
  request: ContentSchema,
});
export type SpawnedChild = z.infer<typeof SpawnedChildSchema>;
