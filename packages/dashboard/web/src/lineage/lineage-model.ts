import type { Lineage, LineageNode } from "@fanfold/schemas";
import { phaseTitle } from "../format/phase-title.ts";

/** A phase's revision, and an artifact with the phase it is of, as people say it. */
export function nodeTitle(node: LineageNode): string {
  const place = `${phaseTitle(node.phase)} r${node.revision}`;
  return node.kind === "phase" ? place : `${node.name} of ${place}`;
}

/** A revision of a phase with what it was made from and what it made. */
export interface LineageStep {
  readonly node: LineageNode;
  readonly before: readonly LineageNode[];
  readonly after: readonly LineageNode[];
}

/** The phases of a lineage in its order, each with the artifacts beside it. An artifact without its maker stands for itself. */
export function stepsOf({ nodes, edges }: Lineage): LineageStep[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const before = new Map<string, LineageNode[]>();
  const after = new Map<string, LineageNode[]>();
  for (const { from, to } of edges) {
    add(after, from, byId.get(to));
    add(before, to, byId.get(from));
  }
  return nodes
    .filter(({ id, kind }) => kind === "phase" || !before.has(id))
    .map((node) => ({ node, before: before.get(node.id) ?? [], after: after.get(node.id) ?? [] }));
}

function add(lists: Map<string, LineageNode[]>, id: string, node: LineageNode | undefined): void {
  if (node === undefined) return;
  const known = lists.get(id);
  if (known === undefined) lists.set(id, [node]);
  else known.push(node);
}
