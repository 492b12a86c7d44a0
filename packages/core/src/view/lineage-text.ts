import type { Lineage, LineageNode } from "@fanfold/schemas";
import { formatBytes } from "./human-format.ts";

/** Characters a label may show as they are. */
const SAFE = /^[\p{L}\p{N} .,:@/_=+()-]$/u;
/** Shown digits of a hash. */
const HASH_DIGITS = 12;

/** Lineage as an indented tree below each root; what was shown before is not unfolded again. */
export function lineageText(lineage: Lineage): string {
  if (lineage.nodes.length === 0) return "nothing is recorded\n";
  const isBoth = lineage.direction === "both";
  const lines: string[] = [];
  if (lineage.direction !== "down") lines.push(...(isBoth ? ["made from"] : []), ...tree(lineage, "up"));
  if (lineage.direction !== "up") lines.push(...(isBoth ? ["made of it"] : []), ...tree(lineage, "down"));
  return `${lines.join("\n")}\n`;
}

/** Lineage as a Mermaid flow chart: phases are boxes, artifacts are round. */
export function lineageMermaid({ nodes, edges, roots }: Lineage): string {
  const names = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const lines = ["flowchart LR"];
  for (const node of nodes) {
    const [open, close] = node.kind === "phase" ? ["[", "]"] : ["([", "])"];
    lines.push(`  ${names.get(node.id)}${open}"${mermaidLabel(node)}"${close}`);
  }
  for (const { from, to } of edges) lines.push(`  ${names.get(from)} --> ${names.get(to)}`);
  const asked = roots.flatMap((id) => names.get(id) ?? []);
  if (asked.length > 0) lines.push("  classDef asked stroke-width:3px", `  class ${asked.join(",")} asked`);
  return `${lines.join("\n")}\n`;
}

function mermaidLabel(node: LineageNode): string {
  const label = node.kind === "phase" ? `${node.phase} r${node.revision}` : node.name;
  return Array.from(label, (one) => (SAFE.test(one) ? one : `#${one.codePointAt(0) ?? 32};`)).join("");
}

function tree({ nodes, edges, roots }: Lineage, direction: "up" | "down"): string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const [at, there] = direction === "up" ? [to, from] : [from, to];
    next.set(at, [...(next.get(at) ?? []), there]);
  }
  const lines: string[] = [];
  const shown = new Set<string>();
  const visit = (id: string, opening: string, indent: string): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const children = next.get(id) ?? [];
    const isAgain = shown.has(id) && children.length > 0;
    lines.push(`${opening}${describe(node)}${isAgain ? ", above" : ""}`);
    if (isAgain) return;
    shown.add(id);
    for (const [index, child] of children.entries()) {
      const isLast = index === children.length - 1;
      visit(child, `${indent}${isLast ? "└─ " : "├─ "}`, `${indent}${isLast ? "   " : "│  "}`);
    }
  };
  for (const root of roots) visit(root, "", "");
  return lines;
}

function describe(node: LineageNode): string {
  if (node.kind === "phase") return `${node.phase} r${node.revision}`;
  return `${node.name} (${node.sha256.slice(0, HASH_DIGITS)}, ${formatBytes(node.size_bytes)})`;
}
