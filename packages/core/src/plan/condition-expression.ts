import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";

/** What a condition may look at. */
const ROOTS = ["vars", "phases", "outputs", "matrix"] as const;
type ConditionRoot = (typeof ROOTS)[number];

/** One look of a condition at something, such as `phases.test`. */
export interface ConditionReference {
  readonly root: ConditionRoot;
  /** What follows the root: `test` of `phases.test` and of `phases["test"]`; undefined when no name does. */
  readonly name: string | undefined;
  /** Offsets of the root and its name in the expression. */
  readonly start: number;
  readonly end: number;
  /** Whether `has()` asks if it is there at all. */
  readonly isGuarded: boolean;
}

/** A condition with what it looks at, or where it is wrong. */
export type ReadCondition =
  | { readonly ok: true; readonly references: readonly ConditionReference[] }
  | { readonly ok: false; readonly why: string; readonly start: number };

const ENVIRONMENT = ROOTS.reduce((environment, root) => environment.registerVariable(root, "map"), new Environment());

/** Reads a CEL expression and checks its types as far as they are known. Evaluates nothing. */
export function readCondition(expression: string): ReadCondition {
  try {
    const parsed = ENVIRONMENT.parse(expression);
    const { valid, type = "", error } = parsed.check();
    if (!valid) return { ok: false, why: sentence(error?.summary ?? ""), start: error?.range?.start ?? 0 };
    if (type !== "bool" && type !== "dyn") return { ok: false, why: `it gives ${type}, not true or false`, start: 0 };
    return { ok: true, references: [...listReferences(parsed.ast, false)] };
  } catch (error) {
    const why = error instanceof ParseError ? error.summary : String(error);
    return { ok: false, why: sentence(why), start: (error instanceof ParseError ? error.range?.start : 0) ?? 0 };
  }
}

/** Ids by which a condition names phases, under `phases` or `outputs`. */
export function listConditionPhases(expression: string): string[] {
  const read = readCondition(expression);
  const names = read.ok ? read.references.flatMap((one) => (isPhaseRoot(one.root) ? (one.name ?? []) : [])) : [];
  return [...new Set(names)];
}

/** Whether what follows a root is the id of a phase. */
export function isPhaseRoot(root: ConditionRoot): root is "phases" | "outputs" {
  return root === "phases" || root === "outputs";
}

/** The expression with phases named otherwise: `phases.a` becomes `phases["a[x=y]"]` when that is the new name. */
export function renamePhases(expression: string, rename: (name: string) => string): string {
  const read = readCondition(expression);
  if (!read.ok) return expression;
  let renamed = expression;
  for (const { root, name, start, end } of read.references.toSorted((a, b) => b.start - a.start)) {
    if (!isPhaseRoot(root) || name === undefined || rename(name) === name) continue;
    renamed = `${renamed.slice(0, start)}${root}[${JSON.stringify(rename(name))}]${renamed.slice(end)}`;
  }
  return renamed;
}

function* listReferences(node: ASTNode, isGuarded: boolean): Generator<ConditionReference> {
  const found = asReference(node, isGuarded);
  if (found !== undefined) {
    yield found;
    return;
  }
  const isHas = node.op === "call" && node.args[0] === "has";
  for (const child of childrenOf(node.args)) yield* listReferences(child, isGuarded || isHas);
}

function asReference(node: ASTNode, isGuarded: boolean): ConditionReference | undefined {
  if (node.op === "id") return toReference(node, node, undefined, isGuarded);
  if (node.op === ".") return toReference(node, node.args[0], node.args[1], isGuarded);
  if (node.op !== "[]") return undefined;
  const [root, key] = node.args;
  const name = key.op === "value" && typeof key.args === "string" ? key.args : undefined;
  return name === undefined ? undefined : toReference(node, root, name, isGuarded);
}

function toReference(
  { start, end }: ASTNode,
  node: ASTNode,
  name: string | undefined,
  isGuarded: boolean,
): ConditionReference | undefined {
  const root = node.op === "id" ? ROOTS.find((one) => one === node.args) : undefined;
  return root === undefined ? undefined : { root, name, start, end, isGuarded };
}

function* childrenOf(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) for (const item of args) yield* childrenOf(item);
  else if (isNode(args)) yield args;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

function sentence(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
