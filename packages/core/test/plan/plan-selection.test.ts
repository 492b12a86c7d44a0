import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CompileOptions, compilePlanValue } from "../../src/plan/compile-plan.ts";
import { PlanGraph } from "../../src/plan/plan-graph.ts";
import { planOf, problemsOf, type SamplePhase, samplePlan, summaryOf } from "./plan-samples.ts";

type Selection = NonNullable<CompileOptions["selection"]>;

function compile(phases: readonly SamplePhase[], selection: Selection = {}) {
  return compilePlanValue(samplePlan(phases.map((phase) => ({ command: "x", ...phase }))), { selection });
}

function partsOf(phases: readonly SamplePhase[], selection: Selection): string[] {
  return planOf(compile(phases, selection)).phases.flatMap(({ id, takes_part }) => (takes_part ? [id] : []));
}

/** Edges of one phase as `b`, `b soft`, `b soft failure`. */
function edgesOf(id: string, phases: readonly SamplePhase[], selection: Selection = {}): string[] {
  const { depends_on } = new PlanGraph(planOf(compile(phases, selection))).phase(id);
  return depends_on.map(({ phase, kind, when }) =>
    [phase, ...(kind === "soft" ? [kind] : []), ...(when === "success" ? [] : [when])].join(" "),
  );
}

const soft = (phase: string, when = "success") => ({ phase, kind: "soft", when });

const CHAIN: SamplePhase[] = [
  { id: "a" },
  { id: "b", depends_on: ["a"] },
  { id: "c", depends_on: ["b"] },
  { id: "d", depends_on: ["c"] },
  { id: "other" },
  { id: "end", depends_on: ["d", "other"] },
];

describe("what takes part", () => {
  test.each<[Selection, string[]]>([
    [{}, ["a", "b", "c", "d", "other", "end"]],
    [{ only: ["b", "other"] }, ["b", "other"]],
    [{ skip: ["b", "end"] }, ["a", "c", "d", "other"]],
    [{ from: ["c"] }, ["c", "d", "end"]],
    [{ to: ["c"] }, ["a", "b", "c"]],
    [{ from: ["b"], to: ["d"] }, ["b", "c", "d"]],
    [{ from: ["b", "other"], to: ["end"], skip: ["c"] }, ["b", "d", "other", "end"]],
    [{ only: ["a", "b"], skip: ["b"] }, ["a"]],
  ])("is said by %j", (selection, expected) => {
    expect(partsOf(CHAIN, selection)).toEqual(expected);
  });

  test("leaves out what is disabled, also where it is selected, and says why each phase is out", () => {
    const phases = [{ id: "a", enabled: false }, { id: "b" }, { id: "c" }, { id: "d" }];
    const result = compile(phases, { only: ["a", "b", "d"], skip: ["d"] });
    expect(result).toMatchObject({ ok: true });
    expect(result.ok && [...result.leftOut]).toEqual([
      ["a", "disabled"],
      ["c", "only"],
      ["d", "skip"],
    ]);
  });

  test("may be single instances of a matrix, or all of them by the phase", () => {
    const phases = [
      { id: "t", matrix: { l: ["fr", "ja"], t: ["x", "y"] } },
      { id: "qa", matrix: { l: ["fr", "ja"] }, depends_on: ["t"] },
    ];
    expect(partsOf(phases, { from: ["t[l=ja,t=x]"] })).toEqual(["t[l=ja,t=x]", "qa[l=ja]"]);
    expect(partsOf(phases, { to: ["qa[l=fr]"] })).toEqual(["t[l=fr,t=x]", "t[l=fr,t=y]", "qa[l=fr]"]);
    expect(partsOf(phases, { skip: ["t"] })).toEqual(["qa[l=fr]", "qa[l=ja]"]);
  });

  test("names phases that exist", () => {
    const phases = [{ id: "translate", matrix: { l: ["fr", "ja"] } }, { id: "build" }];
    const selection = {
      only: ["biuld", "translate[l=fr]"],
      skip: ["translate[l=jp]"],
      from: ["nothing"],
      to: ["build"],
    };
    expect(summaryOf(compile(phases, selection))).toEqual([
      'UNKNOWN_SELECTION only names "biuld", but no phase has that id (did you mean "build"?)',
      'UNKNOWN_SELECTION skip names "translate[l=jp]", but no phase has that id (did you mean "translate[l=ja]"?)',
      'UNKNOWN_SELECTION from names "nothing", but no phase has that id',
    ]);
    expect(problemsOf(compile(phases, selection))).toMatchObject([{ line: 0, frame: "" }, {}, {}]);
  });

  test("is something", () => {
    expect(summaryOf(compile(CHAIN, { only: ["a"], skip: ["a"] }))).toEqual([
      "EMPTY_SELECTION nothing is left to run of this selection",
    ]);
    expect(compile([{ id: "a", enabled: false }])).toMatchObject({ ok: true });
  });
});

describe("a soft edge to what takes no part", () => {
  const phases = [
    { id: "a" },
    { id: "b", depends_on: [{ phase: "a", when: "always" }] },
    { id: "c", depends_on: [soft("b")] },
    { id: "d", depends_on: [soft("c", "always")] },
  ];

  test("gives way to the dependencies of that phase, as soft edges with their own outcome", () => {
    expect(edgesOf("d", phases)).toEqual(["c soft always"]);
    expect(edgesOf("d", phases, { skip: ["c"] })).toEqual(["b soft"]);
    expect(edgesOf("d", phases, { skip: ["b", "c"] })).toEqual(["a soft always"]);
    expect(edgesOf("d", phases, { only: ["d"] })).toEqual([]);
  });

  test("adds nothing to an edge that is there, and makes one edge of two", () => {
    const two = [
      { id: "a", on_failure: "continue" },
      { id: "x", depends_on: ["a"] },
      { id: "y", depends_on: [{ phase: "a", when: "failure" }] },
      { id: "z", depends_on: [{ phase: "a", when: "always" }] },
      { id: "own", depends_on: [soft("x"), "a"] },
      { id: "xy", depends_on: [soft("x"), soft("y")] },
      { id: "xz", depends_on: [soft("x"), soft("z")] },
    ];
    const selection = { skip: ["x", "y", "z"] };
    expect(edgesOf("own", two, selection)).toEqual(["a"]);
    expect(edgesOf("xy", two, selection)).toEqual(["a soft always"]);
    expect(edgesOf("xz", two, selection)).toEqual(["a soft"]);
  });

  test("does the same for a phase that is disabled, and leaves hard edges alone", () => {
    const disabled = [
      { id: "a" },
      { id: "b", depends_on: ["a"], enabled: false },
      { id: "c", depends_on: [soft("b")] },
    ];
    expect(edgesOf("c", disabled)).toEqual(["a soft"]);
    expect(edgesOf("b", CHAIN, { skip: ["a"] })).toEqual(["a"]);
  });

  test("never stays, and never stands for more than the way it replaces", () => {
    const row = fc.record({
      picks: fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 4 }),
      isSkipped: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 10 }), (rows) => {
        const declared = rows.map(({ picks }, index) => ({
          id: `p${index}`,
          depends_on: [...new Map(index === 0 ? [] : picks.map(([pick, isSoft]) => [pick % index, isSoft]))].map(
            ([target, isSoft]) => ({ phase: `p${target}`, kind: isSoft ? "soft" : "hard" }),
          ),
        }));
        const skip = rows.flatMap(({ isSkipped }, index) => (isSkipped ? [`p${index}`] : []));
        fc.pre(skip.length < rows.length);
        const before = new PlanGraph(planOf(compile(declared)));
        const after = new PlanGraph(planOf(compile(declared, { skip })));
        for (const id of after.ids) {
          const { depends_on } = after.phase(id);
          const old = before.phase(id).depends_on;
          for (const { phase, kind } of depends_on) {
            if (kind === "soft") expect(after.phase(phase).takes_part).toBe(true);
            expect(before.ancestors(id)).toContain(phase);
          }
          expect(depends_on.filter(({ kind }) => kind === "hard")).toEqual(old.filter(({ kind }) => kind === "hard"));
          const kept = old.filter(({ phase }) => after.phase(phase).takes_part);
          for (const edge of kept) expect(depends_on).toContainEqual(edge);
          expect(new Set(depends_on.map(({ phase }) => phase)).size).toBe(depends_on.length);
        }
      }),
    );
  });

  test("keeps the order of those that take part, where only soft edges led through the gap", () => {
    const picks = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(picks, fc.nat(), (rows, seed) => {
        const declared = rows.map((row, index) => ({
          id: `p${index}`,
          depends_on: [...new Set(index === 0 ? [] : row.map((pick) => `p${pick % index}`))].map((id) => soft(id)),
        }));
        const skip = rows.flatMap((_, index) => (((seed >> index) & 1) === 1 ? [`p${index}`] : []));
        fc.pre(skip.length < rows.length);
        const before = new PlanGraph(planOf(compile(declared)));
        const after = new PlanGraph(planOf(compile(declared, { skip })));
        for (const id of after.ids) {
          const expected = [...before.ancestors(id)].filter((one) => !skip.includes(one));
          expect([...after.ancestors(id)].sort()).toEqual(expected.sort());
        }
      }),
    );
  });
});
