import type { CompiledDependency, CompiledPhase, CompiledPlan } from "@fanfold/schemas";
import { assertNever } from "../core-error.ts";
import { coordinates } from "./matrix-points.ts";

/** A language for drawing graphs. */
export type GraphFormat = "mermaid" | "dot";

/** Characters that no format gives a meaning inside a quoted label. */
const SAFE = /^[\p{L}\p{N} _.,:;=/()+*?!'\u{B7}\u{D7}-]$/u;

interface Node {
  readonly name: string;
  readonly phase: CompiledPhase;
}

/** The instances of one phase. */
interface Group {
  readonly template: string;
  readonly nodes: readonly Node[];
}

/**
 * Draws the phases of a plan and their dependencies. Soft edges are dashed, an edge says when it is for another outcome
 * than success, instances of a matrix stand in one box, and phases that take no part are grey.
 */
export function planGraphText(plan: Pick<CompiledPlan, "phases" | "plan_id">, format: GraphFormat): string {
  const nodes = plan.phases.map((phase, index) => ({ name: `p${index}`, phase }));
  const groups = new Map<string, Node[]>();
  for (const node of nodes) {
    const group = groups.get(node.phase.template);
    if (group === undefined) groups.set(node.phase.template, [node]);
    else group.push(node);
  }
  const list = Array.from(groups, ([template, members]) => ({ template, nodes: members }));
  switch (format) {
    case "mermaid":
      return drawMermaid(list, edgesOf(nodes));
    case "dot":
      return drawDot(plan.plan_id, list, edgesOf(nodes));
    default:
      return assertNever(format, "graph format");
  }
}

interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly edge: CompiledDependency;
}

function edgesOf(nodes: readonly Node[]): DrawnEdge[] {
  const names = new Map(nodes.map(({ name, phase }) => [phase.id, name]));
  return nodes.flatMap(({ name, phase }) =>
    phase.depends_on.map((edge) => ({ from: names.get(edge.phase) ?? "", to: name, edge })),
  );
}

function isMatrix({ nodes }: Group): boolean {
  return nodes.some(({ phase }) => Object.keys(phase.matrix).length > 0);
}

/** Lines of a label: the id, the title where there is one, and how the phase is cut. */
function labelOf({ phase }: Node): string[] {
  const { id, template, matrix, name, shard, work } = phase;
  const own = coordinates(matrix);
  const title = name === id || name === template ? [] : [name];
  return [
    own === "" ? id : own,
    ...title,
    ...(shard === null ? [] : [`shards by ${shard.strategy}`]),
    ...(work.kind === "approval" ? ["approval"] : []),
  ];
}

function drawMermaid(groups: readonly Group[], edges: readonly DrawnEdge[]): string {
  const lines = ["flowchart TD"];
  for (const [index, group] of groups.entries()) {
    const nodes = group.nodes.map((node) => mermaidNode(node));
    if (!isMatrix(group)) lines.push(...nodes.map((node) => `  ${node}`));
    else {
      lines.push(`  subgraph g${index} ["${mermaidText(group.template)}"]`);
      lines.push(...nodes.map((node) => `    ${node}`), "  end");
    }
  }
  for (const { from, to, edge } of edges) {
    const label = edge.when === "success" ? "" : `|${edge.when}|`;
    lines.push(`  ${from} ${edge.kind === "soft" ? "-.->" : "-->"}${label} ${to}`);
  }
  const absent = groups.flatMap(({ nodes }) => nodes.filter(({ phase }) => !phase.takes_part).map(({ name }) => name));
  if (absent.length > 0) {
    lines.push("  classDef absent stroke-dasharray: 4 4,color:#888", `  class ${absent.join(",")} absent`);
  }
  return `${lines.join("\n")}\n`;
}

function mermaidNode(node: Node): string {
  const label = labelOf(node).map(mermaidText).join("<br/>");
  const [open, close] = mermaidShape(node.phase);
  return `${node.name}${open}"${label}"${close}`;
}

/** A person stands in a hexagon, several shards in a double frame. */
function mermaidShape({ work, shard }: CompiledPhase): readonly [open: string, close: string] {
  if (work.kind === "approval") return ["{{", "}}"];
  return shard === null ? ["[", "]"] : ["[[", "]]"];
}

/** Everything that could end the label or be taken for markup becomes a character reference. */
function mermaidText(text: string): string {
  return Array.from(text, (character) => (SAFE.test(character) ? character : `#${codeOf(character)};`)).join("");
}

function drawDot(planId: string, groups: readonly Group[], edges: readonly DrawnEdge[]): string {
  const lines = [`digraph ${dotQuote([planId])} {`, "  node [shape=box];"];
  for (const [index, group] of groups.entries()) {
    const nodes = group.nodes.map((node) => dotNode(node));
    if (!isMatrix(group)) lines.push(...nodes.map((node) => `  ${node}`));
    else {
      lines.push(`  subgraph cluster_${index} {`, `    label=${dotQuote([group.template])};`);
      lines.push(...nodes.map((node) => `    ${node}`), "  }");
    }
  }
  for (const { from, to, edge } of edges) {
    const style = edge.kind === "soft" ? ["style=dashed"] : [];
    const colors = { success: [], failure: ["color=red", "label=failure"], always: ["color=gray", "label=always"] };
    const attributes = [...style, ...colors[edge.when]].join(", ");
    lines.push(`  ${from} -> ${to}${attributes === "" ? "" : ` [${attributes}]`};`);
  }
  return `${lines.join("\n")}\n}\n`;
}

function dotNode(node: Node): string {
  const { shard, takes_part, work } = node.phase;
  const shape = work.kind === "approval" ? ", shape=hexagon" : shard === null ? "" : ", shape=box3d";
  const style = takes_part ? "" : ", style=dashed, color=gray, fontcolor=gray";
  return `${node.name} [label=${dotQuote(labelOf(node))}${shape}${style}];`;
}

function dotQuote(lines: readonly string[]): string {
  const escaped = lines.map((line) => line.replace(/[\\"]/g, String.raw`\$&`).replace(/\p{Cc}/gu, " "));
  return `"${escaped.join(String.raw`\n`)}"`;
}

function codeOf(character: string): number {
  const code = character.codePointAt(0) ?? 32;
  return code < 32 || code === 127 ? 32 : code;
}
