/** For every node the nodes it points to. */
export type Edges = readonly (readonly number[])[];

/**
 * Strongly connected components of a graph: nodes that reach each other share one. A component comes after every
 * component it points to. Linear in nodes and edges, and free of recursion, so a chain of any length is fine.
 *
 * @see Tarjan, "Depth-first search and linear graph algorithms", 1972
 */
export function findComponents(edges: Edges): number[][] {
  const search = new ComponentSearch(edges);
  for (let node = 0; node < edges.length; node += 1) search.visit(node);
  return search.components;
}

class ComponentSearch {
  readonly components: number[][] = [];
  readonly #edges: Edges;
  /** Order of discovery from 1; 0 for a node not seen yet. */
  readonly #order: Int32Array;
  /** Earliest node known to be reachable that is still open. */
  readonly #low: Int32Array;
  readonly #isOpen: Uint8Array;
  readonly #open: number[] = [];
  #seen = 0;

  constructor(edges: Edges) {
    this.#edges = edges;
    this.#order = new Int32Array(edges.length);
    this.#low = new Int32Array(edges.length);
    this.#isOpen = new Uint8Array(edges.length);
  }

  visit(root: number): void {
    if (this.#order[root] !== 0) return;
    const trail = [{ node: this.#enter(root), next: 0 }];
    for (let step = trail.at(-1); step !== undefined; step = trail.at(-1)) {
      const target = this.#edges[step.node]?.[step.next];
      step.next += 1;
      if (target === undefined) {
        trail.pop();
        this.#leave(step.node);
        const parent = trail.at(-1);
        if (parent !== undefined) this.#lower(parent.node, this.#low[step.node] ?? 0);
      } else if (this.#order[target] === 0) trail.push({ node: this.#enter(target), next: 0 });
      else if (this.#isOpen[target] === 1) this.#lower(step.node, this.#order[target] ?? 0);
    }
  }

  #enter(node: number): number {
    this.#seen += 1;
    this.#order[node] = this.#seen;
    this.#low[node] = this.#seen;
    this.#isOpen[node] = 1;
    this.#open.push(node);
    return node;
  }

  #lower(node: number, order: number): void {
    this.#low[node] = Math.min(this.#low[node] ?? order, order);
  }

  /** Closes a component once the node it was entered by is done. */
  #leave(node: number): void {
    if (this.#low[node] !== this.#order[node]) return;
    const component = this.#open.splice(this.#open.lastIndexOf(node));
    for (const member of component) this.#isOpen[member] = 0;
    this.components.push(component.sort((a, b) => a - b));
  }
}
