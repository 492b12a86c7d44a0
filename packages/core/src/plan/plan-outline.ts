import type { DependencyEdges } from "./check-dependencies.ts";
import { type InstanceTable, instanceId } from "./instance-table.ts";
import type { Edges } from "./phase-components.ts";
import type { PhaseTable } from "./phase-table.ts";

/** Instances that may wait for each other, counted over a whole plan. */
export const MAX_INSTANCE_EDGES = 1_000_000;

/** The graph of a plan's instances. */
export interface InstanceGraph {
  /** For every node the nodes it depends on. */
  readonly edges: Edges;
  /** Node of an instance: a row of the phase table, and a position among its instances. */
  node(row: number, position: number): number;
}

/** What is known of a plan's phases and of how they hang together, as far as the plan says it right. */
export class PlanOutline {
  readonly table: PhaseTable;
  readonly dependencies: DependencyEdges;
  readonly instances: InstanceTable;
  /** Undefined where a matrix cannot be read, or the graph is too large. */
  readonly instanceGraph: InstanceGraph | undefined;

  constructor(table: PhaseTable, dependencies: DependencyEdges, instances: InstanceTable) {
    this.table = table;
    this.dependencies = dependencies;
    this.instances = instances;
    this.instanceGraph = buildInstanceGraph(dependencies.edges, instances);
  }

  /** Id of an instance. */
  instanceName(row: number, position: number): string {
    return instanceId(this.table.phases[row]?.id ?? "?", this.instances.points(row)?.[position] ?? {});
  }
}

function buildInstanceGraph(rows: Edges, instances: InstanceTable): InstanceGraph | undefined {
  if (!instances.hasMatrix()) return { edges: rows, node: (row) => row };
  const starts: number[] = [];
  let nodeCount = 0;
  for (const row of rows.keys()) {
    starts.push(nodeCount);
    nodeCount += instances.points(row)?.length ?? 0;
  }
  const edges: number[][] = [];
  let edgeCount = 0;
  for (const [row, targets] of rows.entries()) {
    for (const point of instances.points(row) ?? []) {
      const nodes = targets.flatMap((target) =>
        instances.sources(row, point, target).map((position) => (starts[target] ?? 0) + position),
      );
      edgeCount += nodes.length;
      if (edgeCount > MAX_INSTANCE_EDGES) return undefined;
      edges.push(nodes);
    }
  }
  const isComplete = [...rows.keys()].every((row) => instances.points(row) !== undefined);
  return isComplete ? { edges, node: (row, position) => (starts[row] ?? 0) + position } : undefined;
}
