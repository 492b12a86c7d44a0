import { z } from "zod";

/** Largest output kept inside Redis, in bytes; anything larger goes to the artifact store. */
export const MAX_INLINE_BYTES = 16 * 1024;

/** Lower-case hex sha256. */
export const Sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * Where the bytes of an output are: inline (valid UTF-8 of at most {@link MAX_INLINE_BYTES}), or in the
 * artifact store under their hash.
 */
export const ContentSchema = z.union([
  z.strictObject({ inline: z.string() }),
  z.strictObject({ sha256: Sha256Schema, size_bytes: z.int().min(0) }),
]);
export type Content = z.infer<typeof ContentSchema>;

/** What an artifact is to people and tools. */
export const ArtifactTypeSchema = z.enum([
  "file",
  "model_output",
  "error_context",
  "test_results",
  "report",
  "log",
  "custom",
]);
export type ArtifactType = z.infer<typeof ArtifactTypeSchema>;

/** Most characters of an artifact's metadata, as JSON. */
const MAX_METADATA_CHARS = 4_096;

/** What the maker of an artifact says of it. */
export const ArtifactMetaSchema = z.strictObject({
  type: ArtifactTypeSchema.optional(),
  format: z.string().min(1).max(100).optional(),
  media_type: z
    .string()
    .max(200)
    .regex(/^[\w.+-]+\/[\w.+-]+(; *[\w-]+=[\w."+-]+)*$/, "write it like text/markdown")
    .optional(),
  metadata: z
    .record(z.string(), z.json())
    .refine((value) => JSON.stringify(value).length <= MAX_METADATA_CHARS, "more than 4,096 characters of JSON")
    .optional(),
});
export type ArtifactMeta = z.infer<typeof ArtifactMetaSchema>;

/** A named output of a phase: always with its hash, whether or not it is also kept inline. */
export const ArtifactSchema = z.strictObject({
  name: z.string(),
  sha256: Sha256Schema,
  size_bytes: z.int().min(0),
  inline: z.string().optional(),
  meta: ArtifactMetaSchema.optional(),
});
export type Artifact = z.infer<typeof ArtifactSchema>;
