import type { ConsumedInput, Lineage, LineageDirection, LineageNode } from "@fanfold/schemas";

/** An artifact of a phase's revision. */
export interface ProducedArtifact {
  readonly artifact_id: string;
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes: number;
}

/** What is recorded of a phase in one revision. */
export interface RevisionFacts {
  readonly phase: string;
  readonly revision: number;
  readonly produced: readonly ProducedArtifact[];
  readonly consumed: readonly ConsumedInput[];
}

/** What the lineage of a run is made from. */
export interface LineageFacts {
  readonly run_id: string;
  /** In the order of the plan, then of revisions. */
  readonly revisions: readonly RevisionFacts[];
  /** Id of an artifact that is consumed and that no revision here has produced. */
  readonly idOf: (input: ConsumedInput) => string;
}

/** Where lineage begins: a phase in a revision, or an artifact of it. */
export interface LineageRoot {
  readonly phase: string;
  readonly revision: number;
  /** The artifact; all of the phase when missing. */
  readonly artifact?: ProducedArtifact;
}

/** The graph of what was made from what, as far as it hangs together with the roots. Pure. */
export function lineageOf(facts: LineageFacts, roots: readonly LineageRoot[], direction: LineageDirection): Lineage {
  const graph = new LineageGraph(facts);
  const ids = roots.map((root) => graph.root(root));
  const wanted = new Set<string>();
  if (direction !== "down") graph.reach(ids, "up", wanted);
  if (direction !== "up") graph.reach(ids, "down", wanted);
  return { run_id: facts.run_id, direction, roots: ids, ...graph.part(wanted) };
}

/** `phase@r2`, or `phase@r2/name`. */
function nodeId(phase: string, revision: number, name?: string): string {
  return `${phase}@r${revision}${name === undefined ? "" : `/${name}`}`;
}

class LineageGraph {
  readonly #nodes = new Map<string, LineageNode>();
  readonly #before = new Map<string, Set<string>>();
  readonly #after = new Map<string, Set<string>>();

  constructor({ revisions, idOf }: LineageFacts) {
    for (const { phase, revision, produced } of revisions) {
      for (const artifact of produced) this.#produce(phase, revision, artifact);
    }
    for (const { phase, revision, consumed } of revisions) {
      const reader = this.#phase(phase, revision);
      for (const input of consumed) {
        const made = { artifact_id: idOf(input), ...input };
        this.#connect(this.#produce(input.phase, input.revision, made), reader);
      }
    }
  }

  /** Node of a root, which is made where nothing is recorded of it. */
  root({ phase, revision, artifact }: LineageRoot): string {
    return artifact === undefined ? this.#phase(phase, revision) : this.#produce(phase, revision, artifact);
  }

  /** Adds what can be reached. */
  reach(from: readonly string[], direction: "up" | "down", wanted: Set<string>): void {
    const edges = direction === "up" ? this.#before : this.#after;
    const seen = new Set(from);
    for (const id of seen) {
      wanted.add(id);
      for (const next of edges.get(id) ?? []) seen.add(next);
    }
  }

  part(wanted: ReadonlySet<string>): Pick<Lineage, "nodes" | "edges"> {
    const nodes = [...this.#nodes.values()].filter(({ id }) => wanted.has(id));
    const edges = nodes.flatMap(({ id: from }) =>
      Array.from(this.#after.get(from) ?? [], (to) => ({ from, to })).filter(({ to }) => wanted.has(to)),
    );
    return { nodes, edges };
  }

  #phase(phase: string, revision: number): string {
    const id = nodeId(phase, revision);
    if (!this.#nodes.has(id)) this.#nodes.set(id, { id, kind: "phase", phase, revision });
    return id;
  }

  #produce(phase: string, revision: number, artifact: ProducedArtifact): string {
    const id = nodeId(phase, revision, artifact.name);
    const maker = this.#phase(phase, revision);
    if (!this.#nodes.has(id)) {
      const { artifact_id, name, sha256, size_bytes } = artifact;
      this.#nodes.set(id, { id, kind: "artifact", artifact_id, name, phase, revision, sha256, size_bytes });
      this.#connect(maker, id);
    }
    return id;
  }

  #connect(from: string, to: string): void {
    addTo(this.#after, from, to);
    addTo(this.#before, to, from);
  }
}

function addTo(edges: Map<string, Set<string>>, from: string, to: string): void {
  const known = edges.get(from);
  if (known === undefined) edges.set(from, new Set([to]));
  else known.add(to);
}
