import type { PhaseRecord, PhaseStatus } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { missingDependencies, phaseReadiness, type Readiness } from "../../src/run/readiness.ts";
import { graphOf, phaseOf, type PhaseSketch } from "./run-fixture.ts";

type Statuses = Readonly<Record<string, PhaseStatus | Omit<PhaseRecord, "revision">>>;

/** Readiness of phase `p` of a plan, given how its sources stand. */
function readinessOf(sketches: Readonly<Record<string, PhaseSketch>>, statuses: Statuses): Readiness {
  const graph = graphOf(sketches);
  const record = (id: string): PhaseRecord => {
    const entry = statuses[id] ?? "pending";
    return { revision: 0, ...(typeof entry === "string" ? { status: entry } : entry) };
  };
  return phaseReadiness(graph.phase("p"), PENDING, record, (id) => graph.phase(id));
}

const PENDING: PhaseRecord = { status: "pending", revision: 0 };

const STATUSES = ["pending", "running", "succeeded", "failed", "skipped", "cancelled", "blocked"] as const;

/** Verdict for each of {@link STATUSES} of the one source. */
const VERDICTS = {
  after: { abort: "waits waits ready never never never never", continue: "waits waits ready ready never never never" },
  afterFailure: {
    abort: "waits waits never ready never never never",
    continue: "waits waits never ready never never never",
  },
  afterEnd: {
    abort: "waits waits ready ready ready ready ready",
    continue: "waits waits ready ready ready ready ready",
  },
} as const;

describe("a phase with one dependency", () => {
  for (const edge of ["after", "afterFailure", "afterEnd"] as const) {
    test.each(["abort", "skip_dependents", "continue"] as const)(
      `${edge} a source whose on_failure is %s`,
      (policy) => {
        const sketches = { s: { onFailure: policy }, p: { [edge]: ["s"] } };
        const verdicts = STATUSES.map((status) => readinessOf(sketches, { s: status }).kind);
        expect(verdicts.join(" ")).toBe(VERDICTS[edge][policy === "continue" ? "continue" : "abort"]);
      },
    );
  }
});

test("a soft dependency gates as a hard one does while its source takes part in the run", () => {
  const p = phaseOf("p", { after: ["s"] });
  const soft = { ...p, depends_on: p.depends_on.map((edge) => ({ ...edge, kind: "soft" as const })) };
  const kinds = STATUSES.map(
    (status) =>
      phaseReadiness(
        soft,
        PENDING,
        () => ({ status, revision: 0 }),
        (id) => phaseOf(id, {}),
      ).kind,
  );
  expect(kinds.join(" ")).toBe(VERDICTS.after.abort);
});

describe("a phase with several dependencies", () => {
  const sketches = { a: {}, b: {}, c: {}, p: { after: ["a", "b"], afterEnd: ["c"] } };

  test("is ready without any", () => {
    expect(readinessOf({ p: {} }, {})).toEqual({ kind: "ready" });
  });

  test("is ready when all are satisfied", () => {
    expect(readinessOf(sketches, { a: "succeeded", b: "succeeded", c: "skipped" })).toEqual({ kind: "ready" });
  });

  test("waits for the last one", () => {
    expect(readinessOf(sketches, { a: "succeeded", b: "succeeded", c: "running" })).toEqual({ kind: "waits" });
  });

  test("can never start once one is impossible, also while others are open", () => {
    const never = { kind: "never", cause: { code: "dependency_failed", phase: "b" } };
    expect(readinessOf(sketches, { a: "running", b: "failed", c: "pending" })).toEqual(never);
    expect(readinessOf(sketches, { a: "succeeded", b: "failed", c: "succeeded" })).toEqual(never);
  });

  test("names the first impossible one in the order of depends_on", () => {
    expect(readinessOf(sketches, { a: "failed", b: "failed" })).toMatchObject({ cause: { phase: "a" } });
  });
});

describe("the cause of a phase that can never start", () => {
  test("is the failure of its source", () => {
    expect(readinessOf({ s: {}, p: { after: ["s"] } }, { s: "failed" })).toMatchObject({
      cause: { code: "dependency_failed", phase: "s" },
    });
  });

  test("is the success of a source whose failure it waited for", () => {
    expect(readinessOf({ s: {}, p: { afterFailure: ["s"] } }, { s: "succeeded" })).toMatchObject({
      cause: { code: "unreachable", phase: "s" },
    });
  });

  test.each([
    { code: "dependency_failed", phase: "root" },
    { code: "unreachable", phase: "root" },
    { code: "plan_aborted", phase: "root" },
    { code: "cancel_requested" },
    { code: "missing_dependency", phase: "root" },
    { code: "condition_false", phase: "root" },
    { code: "run_timeout" },
  ] as const)("is the root cause that its source has: $code", (cause) => {
    for (const edge of ["after", "afterFailure"] as const) {
      expect(readinessOf({ s: {}, p: { [edge]: ["s"] } }, { s: { status: "skipped", cause } })).toEqual({
        kind: "never",
        cause,
      });
    }
  });

  test("is the source itself where that names no cause", () => {
    expect(readinessOf({ s: {}, p: { after: ["s"] } }, { s: "skipped" })).toMatchObject({
      cause: { code: "unreachable", phase: "s" },
    });
  });
});

describe("a source that takes no part in the run", () => {
  const p = { after: ["hard"], afterEnd: ["always"], softAfter: ["soft"] };
  const out = { takesPart: false };

  test.each([
    {
      what: "has no output",
      revision: 0,
      sketches: { hard: out, always: {}, soft: {} },
      kind: "never",
      missing: ["hard"],
    },
    { what: "has an output", revision: 1, sketches: { hard: out, always: {}, soft: {} }, kind: "ready", missing: [] },
    {
      what: "need not succeed",
      revision: 0,
      sketches: { hard: {}, always: out, soft: {} },
      kind: "never",
      missing: ["always"],
    },
    { what: "is soft", revision: 0, sketches: { hard: {}, always: {}, soft: out }, kind: "ready", missing: [] },
    {
      what: "is one of all",
      revision: 0,
      sketches: { hard: out, always: out, soft: out },
      kind: "never",
      missing: ["hard", "always"],
    },
  ])("and $what", ({ revision, sketches, kind, missing }) => {
    const graph = graphOf({ ...sketches, p });
    const definition = (id: string) => graph.phase(id);
    const record = (id: string): PhaseRecord =>
      definition(id).takes_part ? { status: "succeeded", revision: 1 } : { status: "skipped", revision };
    expect(phaseReadiness(graph.phase("p"), PENDING, record, definition).kind).toBe(kind);
    expect(missingDependencies(graph.phase("p"), record, definition)).toEqual(missing);
  });
});
