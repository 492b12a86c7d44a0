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

/** A named output of a phase: always with its hash, whether or not it is also kept inline. */
export const ArtifactSchema = z.strictObject({
  name: z.string(),
  sha256: Sha256Schema,
  size_bytes: z.int().min(0),
  inline: z.string().optional(),
});
export type Artifact = z.infer<typeof ArtifactSchema>;
