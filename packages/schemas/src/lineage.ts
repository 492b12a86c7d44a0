import { z } from "zod";

/** A phase in one revision, or an artifact. Ids hold within one answer. */
export const LineageNodeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ id: z.string(), kind: z.literal("phase"), phase: z.string(), revision: z.int().min(0) }),
  z.strictObject({
    id: z.string(),
    kind: z.literal("artifact"),
    artifact_id: z.string(),
    name: z.string(),
    phase: z.string(),
    revision: z.int().min(0),
    sha256: z.string(),
    size_bytes: z.int().min(0),
  }),
]);
export type LineageNode = z.infer<typeof LineageNodeSchema>;

/** Which way lineage is followed: to what something was made from, to what was made of it, or both. */
export const LineageDirectionSchema = z.enum(["up", "down", "both"]);
export type LineageDirection = z.infer<typeof LineageDirectionSchema>;

/** What was made from what in a run. An edge leads from a phase to what it made, and from an artifact to who read it. */
export const LineageSchema = z.strictObject({
  run_id: z.string(),
  direction: LineageDirectionSchema,
  roots: z.array(z.string()).describe("Ids of the nodes that were asked for."),
  nodes: z.array(LineageNodeSchema),
  edges: z.array(z.strictObject({ from: z.string(), to: z.string() })),
});
export type Lineage = z.infer<typeof LineageSchema>;
