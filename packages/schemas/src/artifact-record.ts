import { z } from "zod";
import { ArtifactTypeSchema, Sha256Schema } from "./artifact.ts";

/** An artifact of a run, with all that is known of it: outputs, collected files, logs, and what failures left. */
export const ArtifactRecordSchema = z.strictObject({
  artifact_id: z.string().describe("Follows from run, phase, revision, shard, attempt and name: always the same."),
  run_id: z.string(),
  phase: z.string(),
  revision: z.int().min(1),
  shard: z.int().min(0).nullable().describe("Null for what belongs to the phase as a whole."),
  attempt: z.int().min(1).nullable().describe("Null for a merge."),
  name: z.string(),
  type: ArtifactTypeSchema,
  format: z.string().nullable(),
  media_type: z.string(),
  size_bytes: z.int().min(0),
  sha256: Sha256Schema,
  created_at: z.string().nullable().describe("When its attempt ended, ISO 8601 in UTC."),
  location: z.string().describe("Where its bytes are: file:…, s3://…, or redis: for what is kept in its record."),
  metadata: z.record(z.string(), z.json()),
});
export type ArtifactRecord = z.infer<typeof ArtifactRecordSchema>;

/** A page of artifacts. */
export const ArtifactPageSchema = z.strictObject({
  artifacts: z.array(ArtifactRecordSchema),
  next_cursor: z.string().nullable().describe("Position of the next page; null after the last."),
});
export type ArtifactPage = z.infer<typeof ArtifactPageSchema>;
