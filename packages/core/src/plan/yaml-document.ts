import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";
import { isMergeKey } from "./plain-reader.ts";
import type { NearText, PlaceTarget, PlanDocument } from "./plan-document.ts";
import type { PlanPath } from "./plan-problem.ts";
import type { SourceText, TextPosition } from "./source-text.ts";

/** A parsed text: its nodes, what their aliases stand for, and all of it as plain data. */
export interface YamlTree {
  readonly root: Node | null;
  readonly aliases: ReadonlyMap<Alias, Node>;
  readonly value: unknown;
}

interface Found {
  readonly key: unknown;
  readonly value: unknown;
}

/** A plan read from YAML or JSON text. Positions are looked up only when a problem asks for one. */
export class YamlDocument implements PlanDocument {
  readonly file: string;
  readonly value: unknown;
  readonly #source: SourceText;
  readonly #tree: YamlTree;

  constructor(file: string, source: SourceText, tree: YamlTree) {
    this.file = file;
    this.value = tree.value;
    this.#source = source;
    this.#tree = tree;
  }

  locate(path: PlanPath, target: PlaceTarget, near?: NearText): TextPosition {
    const [start, end] = this.#rangeOf(path, target);
    const inside = near === undefined ? -1 : this.#source.text.slice(start, end).indexOf(near.text);
    return this.#source.position(inside >= 0 ? start + inside + (near?.offset ?? 0) : start);
  }

  frame(position: TextPosition): string {
    return this.#source.frame(position);
  }

  findSource(path: PlanPath): string | undefined {
    const node = this.#find(path);
    return isScalar(node) ? node.source : undefined;
  }

  hide(path: PlanPath, text: string): void {
    const [start, end] = rangeOf(this.#find(path)) ?? [0, 0];
    const inside = text === "" ? -1 : this.#source.text.slice(start, end).indexOf(text);
    if (inside < 0) this.#source.hide(start, end);
    else this.#source.hide(start + inside, start + inside + text.length);
  }

  /** The node a path leads to, behind aliases. */
  #find(path: PlanPath): unknown {
    let node: unknown = this.#resolve(this.#tree.root);
    for (const part of path) node = this.#resolve(this.#child(node, part)?.value);
    return node;
  }

  #rangeOf(path: PlanPath, target: PlaceTarget): [number, number] {
    let node: unknown = this.#resolve(this.#tree.root);
    let range = rangeOf(node) ?? [0, 0];
    for (const [depth, part] of path.entries()) {
      const found = this.#child(node, part);
      if (found === undefined) return range;
      const isWanted = depth === path.length - 1;
      const keyRange = rangeOf(found.key);
      const valueRange = isEmptyScalar(found.value) ? keyRange : rangeOf(found.value);
      range = (isWanted && target === "key" ? keyRange : undefined) ?? valueRange ?? keyRange ?? range;
      node = this.#resolve(found.value);
    }
    return range;
  }

  #child(node: unknown, part: string | number): Found | undefined {
    if (isSeq(node)) {
      const value = typeof part === "number" ? node.items[part] : undefined;
      return value === undefined ? undefined : { key: undefined, value };
    }
    return isMap(node) ? (findPair(node, String(part)) ?? this.#mergedChild(node, part)) : undefined;
  }

  /** A key that came in through `<<`. */
  #mergedChild(map: YAMLMap, part: string | number): Found | undefined {
    for (const { key, value } of map.items) {
      if (!isMergeKey(key)) continue;
      const merged = this.#resolve(value);
      const sources: readonly unknown[] = isSeq(merged) ? merged.items : [merged];
      for (const source of sources) {
        const found = this.#child(this.#resolve(source), part);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? this.#tree.aliases.get(node) : node;
  }
}

/** The last pair of that key: of two equal keys the last one gave the value. */
function findPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.findLast((pair) => (isScalar(pair.key) ? String(pair.key.value) : String(pair.key)) === key);
}

/** Whether a node stands for a value that is not written at all, as after `key:`. */
export function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.value === null && node.source === "";
}

function rangeOf(node: unknown): [number, number] | undefined {
  return isNode(node) && node.range ? [node.range[0], node.range[1]] : undefined;
}
