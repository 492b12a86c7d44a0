import { CompiledPlanSchema } from "@fanfold/schemas";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { PlanGraph } from "../../src/plan/plan-graph.ts";
import { compileYaml, planOf, problemsOf, type SamplePhase, samplePlan, summaryOf } from "./plan-samples.ts";

const LANGUAGES = { language: ["spanish", "french"] };

function compile(...phases: SamplePhase[]) {
  const plan = planOf(compilePlanValue(samplePlan(phases.map((phase) => ({ command: "x", ...phase })))));
  expect(CompiledPlanSchema.safeParse(plan).error).toBeUndefined();
  return plan;
}

function summary(...phases: SamplePhase[]): string[] {
  return summaryOf(compilePlanValue(samplePlan(phases.map((phase) => ({ command: "x", ...phase })))));
}

/** Edges as `b[x=1] <- a[x=1]`. */
function edges(...phases: SamplePhase[]): string[] {
  return compile(...phases).phases.flatMap(({ id, depends_on }) => depends_on.map(({ phase }) => `${id} <- ${phase}`));
}

describe("a phase with a matrix", () => {
  test("becomes an instance for each point, in the order of the points, in its place among the phases", () => {
    const plan = compile({ id: "a" }, { id: "t", matrix: { ...LANGUAGES, tone: ["formal"] } }, { id: "z" });
    expect(plan.phases.map(({ id, template, matrix, name }) => ({ id, template, matrix, name }))).toEqual([
      { id: "a", template: "a", matrix: {}, name: "a" },
      {
        id: "t[language=spanish,tone=formal]",
        template: "t",
        matrix: { language: "spanish", tone: "formal" },
        name: "t[language=spanish,tone=formal]",
      },
      {
        id: "t[language=french,tone=formal]",
        template: "t",
        matrix: { language: "french", tone: "formal" },
        name: "t[language=french,tone=formal]",
      },
      { id: "z", template: "z", matrix: {}, name: "z" },
    ]);
  });

  test("gives each instance its values, in the environment and wherever they are referred to", () => {
    const plan = compile({
      id: "t",
      name: "Into ${matrix.language}",
      command: "run-${matrix.language}",
      args: ["${matrix.language}${matrix.language}", "$${matrix.language}"],
      cwd: "out/${matrix.language}",
      env: { LANG: "${matrix.language}", FANFOLD_MATRIX_LANGUAGE: "mine" },
      matrix: LANGUAGES,
      shard: { strategy: "chunk", chunk_size: 1, over: [{ to: "${matrix.language}" }] },
      merge: { strategy: "command", command: "fold", args: ["${matrix.language}"] },
      pool: "gpu-${matrix.language}",
      lock: "push-${matrix.language}",
      cost: { flat_usd: 1 },
      tags: ["${matrix.language}"],
    });
    expect(plan.phases[1]).toMatchObject({
      name: "Into french",
      work: { command: "run-french", args: ["frenchfrench", "${matrix.language}"] },
      cwd: "out/french",
      env: { LANG: "french", FANFOLD_MATRIX_LANGUAGE: "french" },
      shard: { over: [{ to: "french" }] },
      merge: { command: "fold", args: ["french"] },
      pool: "gpu-french",
      lock: { name: "push-french" },
      tags: ["french"],
      provides: ["t"],
    });
    expect(plan.phases[0]).toMatchObject({ pool: "gpu-spanish", lock: { name: "push-spanish" } });
  });

  test("takes its values from variables, and never looks at a value again", () => {
    const variables = { LANGUAGE: "french", TEXT: "${matrix.language} ${LANGUAGE} $$" };
    const phase = { id: "t", command: "x", args: ["${TEXT}"], matrix: { language: ["${LANGUAGE}"] } };
    const plan = planOf(compilePlanValue(samplePlan([phase]), { variables }));
    expect(plan.phases).toMatchObject([{ id: "t[language=french]", work: { args: [variables.TEXT] } }]);
  });

  test.each([
    [
      { args: ["${matrix.langauge}"], matrix: LANGUAGES },
      'UNKNOWN_DIMENSION phase "t": ${matrix.langauge}: the matrix has no dimension "langauge" (did you mean "language"?)',
    ],
    [{ args: ["${matrix.language}"] }, 'UNKNOWN_DIMENSION phase "t": ${matrix.language}: the phase has no matrix'],
    [
      { provides: ["x-${matrix.language}"], matrix: LANGUAGES },
      'MISPLACED_FIELD phase "t": ${matrix.language} cannot be part of provides[0], which all instances share',
    ],
    [
      { args: ["${secret:${matrix.language}}"], matrix: LANGUAGES },
      'SECRET_INJECTED phase "t": a reference or $$ makes ${secret:value} here; only the plan itself may name a secret, in plain sight',
    ],
    [
      { matrix: { language: [1] } },
      'WRONG_TYPE phase "t": matrix.language[0] must be a string, not 1 (put it in quotes)',
    ],
    [
      { matrix: { language: ["a b"] } },
      `INVALID_VALUE phase "t": matrix.language[0] cannot be "a b": use letters, digits, '_', '-' and '.'`,
    ],
    [
      { matrix: { language: ["x"], exclude: [{ language: "x" }] } },
      'EMPTY_MATRIX phase "t": matrix leaves no combination, so the phase would have no instance',
    ],
  ])("is refused: %j", (fields, expected) => {
    expect(summary({ id: "t", ...fields })).toEqual([expected]);
  });

  test("points at the reference, and at the fault in the matrix", () => {
    const body = `phases:
  - id: t
    command: x
    args: ["into \${matrix.tone}"]
    matrix: { language: [french, french] }
`;
    expect(summaryOf(compileYaml(body))).toEqual([
      'UNKNOWN_DIMENSION 6:18 phase "t": ${matrix.tone}: the matrix has no dimension "tone"',
      'DUPLICATE_KEY 7:34 phase "t": matrix has the value "french" twice in language',
    ]);
  });

  test("is told of a field that only some instance makes wrong, once", () => {
    const long = "x".repeat(60);
    const phase = { id: "t", pool: "${matrix.a}-${matrix.a}", matrix: { a: ["short", long, `${long}y`] } };
    expect(summary(phase)).toEqual([
      `OUT_OF_RANGE phase "t": pool must have at most 64 characters, not 121, for a=${long}`,
    ]);
  });

  test("is told of an id that is too long", () => {
    const matrix = Object.fromEntries(["a", "b", "c", "d"].map((name) => [name.repeat(40), ["v".repeat(60)]]));
    expect(summary({ id: "t", matrix })).toEqual([
      'OUT_OF_RANGE phase "t": matrix makes an instance whose id has 410 characters, more than 300',
    ]);
  });

  test("is bounded together with the others, at the one that is too much", () => {
    const values = Array.from({ length: 100 }, (_, index) => `v${index}`);
    const phases = [
      { id: "a", matrix: { x: values } },
      { id: "b", matrix: { x: values, y: values } },
      { id: "c", matrix: { x: values } },
    ];
    expect(summary(...phases)).toEqual([
      'TOO_LARGE phase "b": matrix brings the plan to 10100 instances, more than 10000',
    ]);
  });

  test("is bounded in what its instances depend on", () => {
    const values = (letter: string) => Array.from({ length: 1_500 / 3 }, (_, index) => `${letter}${index}`);
    const phases = [
      { id: "a", matrix: { x: values("x"), k: ["1", "2", "3"] } },
      { id: "b", matrix: { y: values("y"), j: ["1", "2", "3"] }, depends_on: ["a"] },
    ];
    expect(summary(...phases)).toEqual([
      expect.stringMatching(/^TOO_LARGE the instances of the plan depend on each other in more than 1000000 ways/),
    ]);
  });
});

describe("a dependency on a phase with a matrix", () => {
  const translate = { id: "t", matrix: LANGUAGES };

  test("joins all instances where nothing is shared", () => {
    expect(edges(translate, { id: "z", depends_on: ["t"] })).toEqual([
      "z <- t[language=spanish]",
      "z <- t[language=french]",
    ]);
    expect(edges({ id: "a" }, { ...translate, depends_on: ["a"] })).toEqual([
      "t[language=spanish] <- a",
      "t[language=french] <- a",
    ]);
  });

  test("connects instance to instance along what is shared", () => {
    const tones = { id: "tone", matrix: { tone: ["formal", "casual"], language: ["french"] }, depends_on: ["t"] };
    const qa = { id: "qa", matrix: LANGUAGES, depends_on: [{ phase: "t", kind: "soft", when: "always" }] };
    expect(edges(translate, tones, qa)).toEqual([
      "tone[tone=formal,language=french] <- t[language=french]",
      "tone[tone=casual,language=french] <- t[language=french]",
      "qa[language=spanish] <- t[language=spanish]",
      "qa[language=french] <- t[language=french]",
    ]);
    expect(compile(translate, qa).phases[2]?.depends_on).toEqual([
      { phase: "t[language=spanish]", kind: "soft", when: "always" },
    ]);
  });

  test("is refused where an instance would have nobody to wait for", () => {
    const qa = { id: "qa", matrix: { language: ["french", "german", "dutch"] }, depends_on: ["t"] };
    expect(summary(translate, qa)).toEqual([
      'NO_INSTANCE phase "qa": qa[language=german] depends on "t", which has no instance with language=german (and 1 more like it) (let both matrices have the same points along what they share)',
    ]);
  });

  test("agrees with it on every dimension they share, and leaves out nobody who does", () => {
    const values = fc.uniqueArray(fc.constantFrom("1", "2", "3"), { minLength: 1 });
    const matrix = fc.dictionary(fc.constantFrom("x", "y", "z"), values, { maxKeys: 3 });
    const rows = fc.array(fc.record({ matrix, picks: fc.array(fc.nat(), { maxLength: 3 }) }), {
      minLength: 2,
      maxLength: 5,
    });
    fc.assert(
      fc.property(rows, (picked) => {
        const phases = picked.map(({ matrix: own, picks }, row) => ({
          id: `p${row}`,
          command: "x",
          depends_on: [...new Set(row === 0 ? [] : picks.map((pick) => `p${pick % row}`))],
          ...(Object.keys(own).length === 0 ? {} : { matrix: own }),
        }));
        const result = compilePlanValue(samplePlan(phases));
        if (!result.ok) {
          expect(result.problems.map(({ code }) => code)).toContain("NO_INSTANCE");
          return;
        }
        const agree = (a: Record<string, string>, b: Record<string, string>): boolean =>
          Object.entries(a).every(([name, value]) => (b[name] ?? value) === value);
        for (const one of result.plan.phases) {
          const declared = phases.find(({ id }) => id === one.template)?.depends_on ?? [];
          const expected = declared.flatMap((source) =>
            result.plan.phases.filter(
              ({ template, matrix: theirs }) => template === source && agree(one.matrix, theirs),
            ),
          );
          expect(one.depends_on.map(({ phase }) => phase)).toEqual(expected.map(({ id }) => id));
          expect(expected.length).toBeGreaterThanOrEqual(declared.length);
        }
      }),
    );
  });

  test("never leads from one value of a dimension to another, in plans that have it everywhere", () => {
    const picks = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(picks, (rows) => {
        const phases = rows.map((row, index) => ({
          id: `p${index}`,
          matrix: { language: ["fr", "ja"], ...(index % 2 === 0 ? {} : { tone: ["a", "b"] }) },
          depends_on: [...new Set(index === 0 ? [] : row.map((pick) => `p${pick % index}`))],
        }));
        const plan = compile(...phases);
        const graph = new PlanGraph(plan);
        for (const { id, matrix } of plan.phases) {
          for (const ancestor of graph.ancestors(id)) {
            expect(graph.phase(ancestor).matrix["language"]).toBe(matrix["language"]);
          }
        }
      }),
    );
  });
});

describe("an artifact of a phase with a matrix", () => {
  const translate = { id: "t", matrix: LANGUAGES, provides: ["translated"] };

  test("comes from the one instance that belongs to the reader, as it is", () => {
    const qa = { id: "qa", matrix: LANGUAGES, depends_on: ["t"], consumes: ["translated"] };
    expect(compile(translate, qa).phases.at(-1)?.consumes).toEqual([
      { name: "translated", sources: [{ phase: "t[language=french]", label: "" }] },
    ]);
  });

  test("comes from all of them where the reader joins them, each with its coordinates", () => {
    const report = { id: "r", depends_on: ["t"], consumes: ["translated"] };
    expect(compile(translate, report).phases.at(-1)?.consumes).toEqual([
      {
        name: "translated",
        sources: [
          { phase: "t[language=spanish]", label: "language=spanish" },
          { phase: "t[language=french]", label: "language=french" },
        ],
      },
    ]);
  });

  test("is cut by the instance it belongs to", () => {
    const shard = { strategy: "chunk", chunk_size: 1, over: "translated" };
    const qa = { id: "qa", matrix: LANGUAGES, depends_on: ["t"], shard };
    expect(compile(translate, qa).phases.map(({ over_phase }) => over_phase)).toEqual([
      null,
      null,
      "t[language=spanish]",
      "t[language=french]",
    ]);
    expect(
      compile({ id: "a" }, { id: "b", depends_on: ["a"], shard: { ...shard, over: "a" } }).phases[1]?.over_phase,
    ).toBe("a");
  });

  test("cannot be cut where several would have to be joined", () => {
    const shard = { strategy: "chunk", chunk_size: 1, over: "translated" };
    expect(summary(translate, { id: "r", depends_on: ["t"], shard })).toEqual([
      'OVER_JOINS phase "r": shard.over "translated" would join 2 instances of "t" (give this phase the dimension language too, or put a phase in between that folds them into one)',
    ]);
  });

  test("has to be made before each instance that reads it, not only before some", () => {
    const middle = { id: "m", matrix: { language: ["spanish"] }, depends_on: ["t"] };
    const last = { id: "z", depends_on: ["m"], consumes: ["translated"] };
    expect(summary(translate, middle, last)).toEqual([
      'ARTIFACT_NOT_UPSTREAM phase "z": reads "translated", but z does not depend on t[language=french], which provides it (add "t" to depends_on)',
    ]);
    expect(summary(translate, { ...middle, matrix: LANGUAGES }, last)).toEqual([]);
  });

  test("has to exist for each instance that reads it from afar", () => {
    const middle = { id: "m", depends_on: ["t"] };
    const last = { id: "z", matrix: { language: ["german"] }, depends_on: ["m"], consumes: ["translated"] };
    expect(summary(translate, middle, last)).toEqual([
      'NO_INSTANCE phase "z": z[language=german] reads "translated", but no instance of "t" belongs to it',
    ]);
  });
});

test("ten thousand instances compile, and as many hang on to them", { timeout: 60_000 }, () => {
  const values = (letter: string, count: number) => Array.from({ length: count }, (_, index) => `${letter}${index}`);
  const matrix = { x: values("x", 100), y: values("y", 50) };
  const phases = [
    { id: "a", command: "x", args: ["${matrix.x}"], matrix },
    { id: "b", command: "x", args: ["${matrix.y}"], matrix, depends_on: ["a"], consumes: ["a"] },
    { id: "c", command: "x", depends_on: ["b"], consumes: ["a"] },
  ];
  const result = compilePlanValue(samplePlan(phases));
  expect(problemsOf(result)).toEqual([]);
  expect(planOf(result).phases).toHaveLength(10_001);
});
