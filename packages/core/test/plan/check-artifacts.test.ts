import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { compileYaml, samplePlan, summaryOf } from "./plan-samples.ts";

function phase(id: string, fields: Record<string, unknown> = {}) {
  return { id, command: "x", ...fields };
}

function summary(...phases: Record<string, unknown>[]): string[] {
  return summaryOf(compilePlanValue(samplePlan(phases)));
}

describe("an artifact that is read", () => {
  const ingest = phase("ingest", { provides: ["lines"] });

  test("may come from any phase before, near or far, by name or by id", () => {
    expect(
      summary(
        ingest,
        phase("middle", { depends_on: ["ingest"] }),
        phase("last", { depends_on: ["middle"], consumes: ["lines", "middle"] }),
        phase("cut", { depends_on: ["middle"], shard: { strategy: "chunk", chunk_size: 1, over: "lines" } }),
      ),
    ).toEqual([]);
  });

  test("has to be provided by some phase", () => {
    const shard = { strategy: "chunk", chunk_size: 1, over: "nothing" };
    expect(summary(ingest, phase("b", { depends_on: ["ingest"], consumes: ["line"], shard }))).toEqual([
      'UNKNOWN_ARTIFACT phase "b": reads "line", but no phase provides it (did you mean "lines"?)',
      'UNKNOWN_ARTIFACT phase "b": reads "nothing", but no phase provides it',
    ]);
  });

  test("goes by its declared name, not by the phase's id", () => {
    expect(summary(ingest, phase("b", { depends_on: ["ingest"], consumes: ["ingest"] }))).toEqual([
      'UNKNOWN_ARTIFACT phase "b": reads "ingest", but no phase provides it',
    ]);
  });

  test("has to come from a phase before", () => {
    expect(summary(ingest, phase("b", { consumes: ["lines"] }))).toEqual([
      'ARTIFACT_NOT_UPSTREAM phase "b": reads "lines", but does not depend on "ingest", which provides it (add "ingest" to depends_on)',
    ]);
    expect(summary(phase("a", { consumes: ["b"] }), phase("b", { depends_on: ["a"] }))).toEqual([
      'ARTIFACT_NOT_UPSTREAM phase "a": reads "b", but "b", which provides it, runs after this phase',
    ]);
    expect(summary(phase("a", { consumes: ["a"] }))).toEqual([
      'ARTIFACT_NOT_UPSTREAM phase "a": reads "a", which it provides itself',
    ]);
  });

  test("points at the name that is read", () => {
    const body =
      "phases:\n  - { id: a, command: x }\n  - { id: b, command: x, consumes: [a], shard: { strategy: full, over: c } }\n";
    expect(summaryOf(compileYaml(body))).toEqual([
      'ARTIFACT_NOT_UPSTREAM 5:37 phase "b": reads "a", but does not depend on "a", which provides it (add "a" to depends_on)',
      'UNKNOWN_ARTIFACT 5:72 phase "b": reads "c", but no phase provides it',
    ]);
  });
});

describe("an artifact that is provided", () => {
  test("has one provider", () => {
    expect(
      summary(phase("a", { provides: ["out"] }), phase("b", { provides: ["out", "b2", "b2"] }), phase("out")),
    ).toEqual([
      'DUPLICATE_ARTIFACT phase "b": artifact "out" is already provided at phases[0].provides[0] (give each artifact one phase that provides it)',
      'DUPLICATE_ARTIFACT phase "b": artifact "b2" is already provided at phases[1].provides[1] (give each artifact one phase that provides it)',
      'DUPLICATE_ARTIFACT phase "out": artifact "out" is already provided at phases[0].provides[0] (give each artifact one phase that provides it)',
    ]);
  });

  test("is not doubled by a phase whose id is", () => {
    expect(summary(phase("a"), phase("a"))).toHaveLength(1);
  });
});

describe("what cannot be read makes up no further faults", () => {
  const reader = phase("reader", { depends_on: ["maker"], consumes: ["thing"] });

  test.each([
    ["a list of artifacts of the wrong kind", phase("maker", { provides: { thing: true } })],
    ["an artifact whose name is none", phase("maker", { provides: ["a thing"] })],
    ["a misspelt key", phase("maker", { provide: ["thing"] })],
  ])("%s", (_title, maker) => {
    expect(summary(maker, reader)).toHaveLength(1);
  });

  test.each([
    ["an unknown dependency", { depends_on: ["mkaer"] }],
    ["a dependency of the wrong kind", { depends_on: [{ phase: 3 }] }],
    ["a misspelt key", { depend_on: ["maker"] }],
  ])("%s", (_title, fields) => {
    const maker = phase("maker", { provides: ["thing"] });
    const between = phase("between", fields);
    expect(summary(maker, between, { ...reader, depends_on: ["between"] })).toHaveLength(1);
  });

  test("an entry that is no phase", () => {
    const result = compilePlanValue({ ...samplePlan([]), phases: ["maker", { ...reader, depends_on: [] }] });
    expect(summaryOf(result)).toEqual(['WRONG_TYPE phases[0] must be a map, not "maker"']);
  });
});
