import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coordinates, readMatrix } from "../../src/plan/matrix-points.ts";

function pointsOf(matrix: unknown): string[] {
  return (readMatrix(matrix).points ?? []).map(coordinates);
}

function faultsOf(matrix: unknown): string[] {
  const { faults, points } = readMatrix(matrix);
  if (faults.length > 0) expect(points).toBeUndefined();
  return faults.map(
    ({ code, message, path, hint }) => `${code} ${path.join(".")} ${message}${hint ? ` (${hint})` : ""}`,
  );
}

describe("the points of a matrix", () => {
  test("are the product of its dimensions, the last one running fastest", () => {
    expect(pointsOf({ language: ["spanish", "french"], tone: ["formal", "casual"] })).toEqual([
      "language=spanish,tone=formal",
      "language=spanish,tone=casual",
      "language=french,tone=formal",
      "language=french,tone=casual",
    ]);
  });

  test("lose those that agree with a point of exclude in all it names", () => {
    const exclude = [{ language: "spanish", tone: "formal" }, { tone: "casual" }];
    expect(pointsOf({ language: ["spanish", "french"], tone: ["formal", "casual", "plain"], exclude })).toEqual([
      "language=spanish,tone=plain",
      "language=french,tone=formal",
      "language=french,tone=plain",
    ]);
  });

  test("gain those of include that are not there yet, at the end, in the order of the dimensions", () => {
    const include = [
      { tone: "formal", language: "french" },
      { tone: "poetic", language: "german" },
      { language: "german", tone: "poetic" },
      { language: "spanish", tone: "formal" },
    ];
    const exclude = [{ language: "spanish" }];
    expect(pointsOf({ language: ["spanish", "french"], tone: ["formal"], exclude, include })).toEqual([
      "language=french,tone=formal",
      "language=german,tone=poetic",
      "language=spanish,tone=formal",
    ]);
  });

  test("may be those of include alone", () => {
    expect(
      pointsOf({
        include: [
          { os: "linux", node: "20" },
          { node: "22", os: "mac" },
        ],
      }),
    ).toEqual(["os=linux,node=20", "os=mac,node=22"]);
  });

  test("are exactly the product without what exclude names and with what include adds, each once", () => {
    const value = fc.constantFrom("a", "b", "c");
    const values = fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
    const dimensions = fc.record({ x: values, y: values, z: values });
    const complete = fc.record({ x: value, y: value, z: value });
    const lists = fc.record({
      include: fc.array(complete, { maxLength: 3 }),
      excluded: fc.array(complete, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(dimensions, lists, fc.boolean(), ({ x, y, z }, { include, excluded }, isPartial) => {
        const exclude = excluded
          .filter((point) => x.includes(point.x) && y.includes(point.y) && z.includes(point.z))
          .map((point) => (isPartial ? { x: point.x } : point));
        const points = pointsOf({ x, y, z, include, exclude });
        const product = x.flatMap((a) => y.flatMap((b) => z.map((c) => ({ x: a, y: b, z: c }))));
        const isOut = (point: Record<string, string>): boolean =>
          exclude.some((partial) => Object.entries(partial).every(([name, wanted]) => point[name] === wanted));
        const kept = product.filter((point) => !isOut(point)).map(coordinates);
        const added = include.map(({ x: a, y: b, z: c }) => coordinates({ x: a, y: b, z: c }));
        expect(points).toEqual([...new Set([...kept, ...added])]);
      }),
    );
  });
});

describe("a matrix is refused", () => {
  test.each([
    ["without dimensions", {}, ["EMPTY_MATRIX  matrix needs at least one dimension"]],
    ["with an empty dimension", { a: [] }, ["OUT_OF_RANGE a matrix must have a value in the list a"]],
    ["with a value twice", { a: ["x", "y", "x"] }, ['DUPLICATE_KEY a.2 matrix has the value "x" twice in a']],
    ["with maps for values", { a: [{ b: "x" }] }, ["WRONG_TYPE a matrix must have values in the list a, not maps"]],
    [
      "with values in include",
      { a: ["x"], include: ["y"] },
      ["WRONG_TYPE include matrix must have maps in the list include, such as { language: french }"],
    ],
    [
      "with dimensions that are the same in capitals",
      { lang: ["x"], LANG: ["y"] },
      ["DUPLICATE_KEY LANG matrix has dimensions lang and LANG, the same in capitals"],
    ],
    [
      "that excludes by what is not there",
      { language: ["french"], exclude: [{ langauge: "french" }, { language: "frnch" }, {}] },
      [
        'UNKNOWN_DIMENSION exclude.0.langauge matrix has no dimension "langauge" (did you mean "language"?)',
        'INVALID_VALUE exclude.1.language matrix has no value "frnch" in language (did you mean "french"?)',
        "EMPTY_MATRIX exclude.2 matrix would exclude everything by an empty point",
      ],
    ],
    [
      "that includes half a point",
      { a: ["x"], b: ["y"], include: [{ a: "z" }] },
      ["MISSING_KEY include.0 matrix must have b in every point of include"],
    ],
    [
      "of which nothing is left",
      { a: ["x", "y"], exclude: [{ a: "x" }, { a: "y" }] },
      ["EMPTY_MATRIX  matrix leaves no combination, so the phase would have no instance"],
    ],
    [
      "that is too large",
      { a: manyValues(101), b: manyValues(100) },
      ["TOO_LARGE  matrix has 10100 combinations, more than 10000"],
    ],
  ])("%s", (_title, matrix, faults) => {
    expect(faultsOf(matrix)).toEqual(faults);
  });

  test("at ten thousand and one, not at ten thousand", () => {
    expect(readMatrix({ a: manyValues(100), b: manyValues(100) }).points).toHaveLength(10_000);
    const six = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [name, manyValues(1_000)]));
    expect(faultsOf(six)).toEqual(["TOO_LARGE  matrix has 1000000000000000000 combinations, more than 10000"]);
  });

  test("with its dimensions known where only its values are wrong", () => {
    expect(readMatrix({ language: [1], include: [] })).toEqual({
      dimensions: ["language"],
      points: undefined,
      faults: [],
    });
    expect(readMatrix("french")).toEqual({ dimensions: [], points: undefined, faults: [] });
  });
});

function manyValues(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `v${index}`);
}
