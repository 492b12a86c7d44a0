import { type Edges, findComponents } from "./phase-components.ts";

/**
 * Answers which of a few chosen nodes a node can reach, after one pass over the graph. Takes one bit for each pair
 * of a node and a chosen node, and time in proportion to that and to the edges.
 */
export class Reachability {
  readonly #bits: Uint32Array;
  readonly #words: number;
  /** Position of a chosen node among them. */
  readonly #columns: ReadonlyMap<number, number>;

  /** @param targets the nodes that {@link reaches} will be asked about */
  constructor(edges: Edges, targets: Iterable<number>) {
    this.#columns = new Map(Array.from(new Set(targets), (target, column) => [target, column]));
    this.#words = Math.ceil(this.#columns.size / 32);
    this.#bits = new Uint32Array(edges.length * this.#words);
    for (const component of findComponents(edges)) this.#gather(component, edges);
  }

  /** Whether a way of at least one edge leads from a node to one of the targets. */
  reaches(from: number, target: number): boolean {
    const column = this.#columns.get(target);
    if (column === undefined) return false;
    return ((this.#word(from, column >>> 5) >>> (column & 31)) & 1) === 1;
  }

  /** Components arrive after all they point to, so what their targets reach is known. */
  #gather(component: readonly number[], edges: Edges): void {
    const [first = 0, ...others] = component;
    for (const node of component) {
      for (const target of edges[node] ?? []) {
        this.#merge(first, target);
        const column = this.#columns.get(target);
        if (column !== undefined) this.#set(first, column);
      }
    }
    for (const other of others) this.#merge(other, first);
  }

  #merge(node: number, source: number): void {
    for (let word = 0; word < this.#words; word += 1) {
      this.#bits[node * this.#words + word] = this.#word(node, word) | this.#word(source, word);
    }
  }

  #set(node: number, column: number): void {
    this.#bits[node * this.#words + (column >>> 5)] = this.#word(node, column >>> 5) | (1 << (column & 31));
  }

  #word(node: number, word: number): number {
    return this.#bits[node * this.#words + word] ?? 0;
  }
}
