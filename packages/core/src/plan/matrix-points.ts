import { MatrixSchema } from "@fanfold/schemas";
import { quote } from "./describe-value.ts";
import { NameSuggester } from "./name-suggester.ts";
import { isMap } from "./plan-path.ts";
import type { PlanPath, PlanProblemCode } from "./plan-problem.ts";

/** Instances that the matrices of a plan may make. */
export const MAX_INSTANCES = 10_000;

/** Coordinates of an instance: a value for every dimension, in the order of the dimensions. */
export type MatrixPoint = Readonly<Record<string, string>>;

/** Something that is wrong in a matrix. */
export interface MatrixFault {
  readonly code: PlanProblemCode;
  readonly message: string;
  /** Where, within the matrix. */
  readonly path: PlanPath;
  readonly hint?: string | undefined;
}

/** What a matrix was read as. */
export interface MatrixReading {
  readonly dimensions: readonly string[];
  /** Its points in order; undefined where they cannot be told. */
  readonly points: readonly MatrixPoint[] | undefined;
  /** What is wrong beside the structure, which has checks of its own. */
  readonly faults: readonly MatrixFault[];
}

type Matrix = Readonly<Record<string, readonly (string | MatrixPoint)[]>>;

/**
 * Reads a matrix: the product of its dimensions, the last one running fastest, without the points that `exclude`
 * describes, then the points of `include` that are not there yet.
 */
export function readMatrix(value: unknown): MatrixReading {
  const read = MatrixSchema.safeParse(value);
  if (read.success) return new MatrixReader(read.data).read();
  const dimensions = isMap(value) ? Object.keys(value).filter(isDimension) : [];
  return { dimensions, points: undefined, faults: [] };
}

function isDimension(key: string): boolean {
  return key !== "include" && key !== "exclude";
}

class MatrixReader {
  readonly #matrix: Matrix;
  readonly #faults: MatrixFault[] = [];
  readonly #dimensions: readonly string[];

  constructor(matrix: Matrix) {
    this.#matrix = matrix;
    const declared = Object.keys(matrix).filter(isDimension);
    const [firstIncluded] = this.#pointsOf("include");
    this.#dimensions = declared.length > 0 ? declared : Object.keys(firstIncluded ?? {});
  }

  read(): MatrixReading {
    for (const dimension of this.#dimensions) this.#checkDimension(dimension);
    this.#checkEnvNames();
    this.#checkPoints("exclude");
    this.#checkPoints("include");
    if (this.#faults.length === 0 && this.#productSize() > MAX_INSTANCES) {
      this.#add("TOO_LARGE", `has ${this.#productSize()} combinations, more than ${MAX_INSTANCES}`, []);
    }
    const points = this.#faults.length === 0 ? this.#points() : undefined;
    if (points?.length === 0) {
      this.#add("EMPTY_MATRIX", "leaves no combination, so the phase would have no instance", []);
    }
    const isUsable = points !== undefined && points.length > 0;
    return { dimensions: this.#dimensions, points: isUsable ? points : undefined, faults: this.#faults };
  }

  #points(): MatrixPoint[] {
    const excluded = this.#pointsOf("exclude");
    const product = this.#product().filter((point) => !excluded.some((partial) => agrees(point, partial)));
    const all = new Map(product.map((point) => [coordinates(point), point]));
    for (const included of this.#pointsOf("include")) {
      const point = Object.fromEntries(this.#dimensions.map((dimension) => [dimension, included[dimension] ?? ""]));
      if (!all.has(coordinates(point))) all.set(coordinates(point), point);
    }
    return [...all.values()];
  }

  #product(): MatrixPoint[] {
    let points: MatrixPoint[] = this.#hasProduct() ? [{}] : [];
    for (const dimension of this.#dimensions) {
      const values = this.#valuesOf(dimension);
      points = points.flatMap((point) => values.map((value) => ({ ...point, [dimension]: value })));
    }
    return points;
  }

  /** A matrix may consist of `include` alone. */
  #hasProduct(): boolean {
    return this.#dimensions.some((dimension) => this.#matrix[dimension] !== undefined);
  }

  #productSize(): number {
    return this.#dimensions.reduce((size, dimension) => size * this.#valuesOf(dimension).length, 1);
  }

  #checkDimension(dimension: string): void {
    const written = this.#matrix[dimension];
    if (written === undefined) return;
    const values = this.#valuesOf(dimension);
    if (values.length < written.length) {
      this.#add("WRONG_TYPE", `must have values in the list ${dimension}, not maps`, [dimension]);
    } else if (values.length === 0)
      this.#add("OUT_OF_RANGE", `must have a value in the list ${dimension}`, [dimension]);
    for (const [at, value] of values.entries()) {
      if (values.indexOf(value) === at) continue;
      this.#add("DUPLICATE_KEY", `has the value ${quote(value)} twice in ${dimension}`, [dimension, at]);
    }
  }

  /** Each dimension becomes a variable of the environment, named in capitals. */
  #checkEnvNames(): void {
    const names = new Map<string, string>();
    for (const dimension of this.#dimensions) {
      const first = names.get(dimension.toUpperCase());
      if (first === undefined) names.set(dimension.toUpperCase(), dimension);
      else this.#add("DUPLICATE_KEY", `has dimensions ${first} and ${dimension}, the same in capitals`, [dimension]);
    }
    if (this.#dimensions.length === 0) this.#add("EMPTY_MATRIX", "needs at least one dimension", []);
  }

  #checkPoints(list: "include" | "exclude"): void {
    const written = this.#matrix[list] ?? [];
    if (this.#pointsOf(list).length < written.length) {
      this.#add("WRONG_TYPE", `must have maps in the list ${list}, such as { language: french }`, [list]);
      return;
    }
    for (const [at, point] of this.#pointsOf(list).entries()) this.#checkPoint(list, at, point);
  }

  #checkPoint(list: "include" | "exclude", at: number, point: MatrixPoint): void {
    for (const [dimension, value] of Object.entries(point)) {
      const known = this.#valuesOf(dimension);
      if (!this.#dimensions.includes(dimension)) {
        const hint = new NameSuggester(this.#dimensions).hint(dimension);
        this.#add("UNKNOWN_DIMENSION", `has no dimension "${dimension}"`, [list, at, dimension], hint);
      } else if (list === "exclude" && !known.includes(value)) {
        const hint = new NameSuggester(known).hint(value);
        this.#add("INVALID_VALUE", `has no value ${quote(value)} in ${dimension}`, [list, at, dimension], hint);
      }
    }
    const missing = this.#dimensions.filter((dimension) => point[dimension] === undefined);
    if (list === "exclude" && Object.keys(point).length === 0) {
      this.#add("EMPTY_MATRIX", "would exclude everything by an empty point", [list, at]);
    } else if (list === "include" && missing.length > 0) {
      this.#add("MISSING_KEY", `must have ${missing.join(" and ")} in every point of include`, [list, at]);
    }
  }

  #valuesOf(dimension: string): string[] {
    return (this.#matrix[dimension] ?? []).filter((value) => typeof value === "string");
  }

  #pointsOf(list: "include" | "exclude"): MatrixPoint[] {
    return (this.#matrix[list] ?? []).filter((point) => typeof point !== "string");
  }

  #add(code: PlanProblemCode, rest: string, path: PlanPath, hint?: string): void {
    this.#faults.push({ code, message: `matrix ${rest}`, path, hint });
  }
}

/** Whether a point has all the values of another, which may leave dimensions open. */
function agrees(point: MatrixPoint, partial: MatrixPoint): boolean {
  return Object.entries(partial).every(([dimension, value]) => point[dimension] === value);
}

/** A point as ids and file names have it: `language=french,tone=formal`; empty for a phase without a matrix. */
export function coordinates(point: MatrixPoint): string {
  return Object.entries(point)
    .map(([dimension, value]) => `${dimension}=${value}`)
    .join(",");
}
