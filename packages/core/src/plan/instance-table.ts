import type { DeclaredPhase } from "./declared-phase.ts";
import { coordinates, type MatrixPoint } from "./matrix-points.ts";

/** A phase without a matrix is its own, single instance. */
const NO_MATRIX: readonly MatrixPoint[] = [{}];

/** Id of an instance: `translate[language=french]`; that of the phase when it has no matrix. */
export function instanceId(phaseId: string, point: MatrixPoint): string {
  const place = coordinates(point);
  return place === "" ? phaseId : `${phaseId}[${place}]`;
}

/** The instances of all phases of a plan, and which of them belong together. Rows are those of the phase table. */
export class InstanceTable {
  readonly #phases: readonly DeclaredPhase[];
  /** For each pair of phases that was asked for: the instances of the source by the dimensions they share. */
  readonly #indexes = new Map<string, Map<string, number[]>>();

  constructor(phases: readonly DeclaredPhase[]) {
    this.#phases = phases;
  }

  /** Whether any phase has a matrix. */
  hasMatrix(): boolean {
    return this.#phases.some(({ matrix }) => matrix !== undefined);
  }

  /** Coordinates of a phase's instances in order; undefined when its matrix cannot be read. */
  points(row: number): readonly MatrixPoint[] | undefined {
    const matrix = this.#phases[row]?.matrix;
    return matrix === undefined ? NO_MATRIX : matrix.points;
  }

  /** Dimensions of a phase. */
  dimensions(row: number): readonly string[] {
    return this.#phases[row]?.matrix?.dimensions ?? [];
  }

  /** Dimensions that two phases share, in the order of the first. */
  shared(row: number, other: number): string[] {
    const theirs = new Set(this.dimensions(other));
    return this.dimensions(row).filter((dimension) => theirs.has(dimension));
  }

  /**
   * Instances of a source that belong to one instance of a phase: those that agree with it on the dimensions both
   * have; all of them where they share none.
   *
   * @returns positions in {@link points} of the source
   */
  sources(row: number, point: MatrixPoint, source: number): readonly number[] {
    const shared = this.shared(row, source);
    const index = this.#index(source, shared);
    return index.get(valuesAt(point, shared)) ?? [];
  }

  #index(source: number, shared: readonly string[]): Map<string, number[]> {
    const name = `${source} ${shared.join(" ")}`;
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    const index = new Map<string, number[]>();
    for (const [position, point] of (this.points(source) ?? []).entries()) {
      const key = valuesAt(point, shared);
      const members = index.get(key);
      if (members === undefined) index.set(key, [position]);
      else members.push(position);
    }
    this.#indexes.set(name, index);
    return index;
  }
}

function valuesAt(point: MatrixPoint, dimensions: readonly string[]): string {
  return dimensions.map((dimension) => point[dimension] ?? "").join(" ");
}
