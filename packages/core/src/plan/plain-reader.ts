import { type Alias, isAlias, isCollection, isMap, isScalar, isSeq, type Node, type Pair, Scalar } from "yaml";
import type { PlanProblemCode } from "./plan-problem.ts";

/** Keys that `<<` may bring into the maps of one text: their number grows with the square of the text. */
const MAX_MERGED_KEYS = 1_000_000;

/** A node of the text that cannot be read. */
export interface UnreadableNode {
  readonly code: Extract<PlanProblemCode, "UNKNOWN_ALIAS" | "TOO_LARGE" | "YAML_SYNTAX">;
  readonly message: string;
  readonly offset: number;
}

/**
 * Turns a tree of YAML nodes into plain data, in one pass and in time linear in the tree: everything an alias stands
 * for is read once and shared. An alias names the last anchor before it, and `<<` adds the keys a map does not have.
 */
export class PlainReader {
  readonly unreadable: UnreadableNode[] = [];
  /** What the aliases met so far stand for. */
  readonly aliases = new Map<Alias, Node>();
  readonly #anchors = new Map<string, Node>();
  readonly #values = new Map<Node, unknown>();
  readonly #open = new Set<Node>();
  #mergedKeyCount = 0;

  /** Plain data of a node; undefined for one that is listed in {@link unreadable}. */
  read(node: unknown): unknown {
    if (isAlias(node)) return this.#readAlias(node);
    if (isScalar(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
      return node.value;
    }
    if (!isCollection(node)) return null;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    const value = isSeq(node)
      ? node.items.map((item) => this.read(item))
      : this.#readMap(isMap(node) ? node.items : []);
    this.#open.delete(node);
    if (node.anchor !== undefined) this.#values.set(node, value);
    return value;
  }

  #readAlias(alias: Alias): unknown {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      const message = `no anchor &${alias.source} stands before the alias *${alias.source}`;
      return this.#refuse("UNKNOWN_ALIAS", message, alias);
    }
    if (this.#open.has(target)) {
      return this.#refuse("TOO_LARGE", `the alias *${alias.source} stands for something that contains it`, alias);
    }
    this.aliases.set(alias, target);
    return isScalar(target) ? target.value : this.#values.get(target);
  }

  #readMap(pairs: readonly Pair[]): Record<string, unknown> {
    const own = new Map<string, unknown>();
    const merged = new Map<string, unknown>();
    for (const { key, value } of pairs) {
      if (isMergeKey(key)) this.#merge(merged, value);
      else own.set(String(this.read(key)), this.read(value));
    }
    return Object.fromEntries(merged.size === 0 ? own : new Map([...merged, ...own]));
  }

  #merge(merged: Map<string, unknown>, value: unknown): void {
    const source = this.read(value);
    for (const map of Array.isArray(source) ? source : [source]) {
      if (typeof map !== "object" || map === null || Array.isArray(map)) {
        this.#refuse("YAML_SYNTAX", "<< takes a map, or a list of maps", value);
        return;
      }
      for (const [key, inner] of Object.entries(map)) {
        this.#mergedKeyCount += 1;
        if (!merged.has(key)) merged.set(key, inner);
      }
      if (this.#mergedKeyCount <= MAX_MERGED_KEYS) continue;
      this.#mergedKeyCount = Number.NEGATIVE_INFINITY;
      this.#refuse("TOO_LARGE", `<< brings in more than ${MAX_MERGED_KEYS} keys`, value);
    }
  }

  #refuse(code: UnreadableNode["code"], message: string, node: unknown): undefined {
    const offset = isAlias(node) || isScalar(node) || isCollection(node) ? (node.range?.[0] ?? 0) : 0;
    this.unreadable.push({ code, message, offset });
  }
}

/** Whether a key is a `<<` that merges, as against a quoted one. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === Scalar.PLAIN && key.value === "<<";
}
