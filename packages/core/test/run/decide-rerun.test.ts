import { describe, expect, test } from "vitest";
import { planRerun, type RerunReach } from "../../src/run/plan-rerun.ts";
import { isEmptyDecision, phaseRecord } from "../../src/run/run-state.ts";
import { type PhaseSketch, storyOf, TestRun } from "./run-fixture.ts";

const CHAIN = { a: {}, b: { after: ["a"] }, c: { after: ["b"] }, other: {} };
const skips = { onFailure: "skip_dependents" } as const;

/** A run all of whose phases have succeeded, each with its name as content. */
function finished(sketches: Readonly<Record<string, PhaseSketch>> = CHAIN): TestRun {
  const run = TestRun.started(sketches);
  for (const id of run.state.graph.ids) run.succeed(id, id.slice(0, 1));
  expect(run.state.run.status).toBe("succeeded");
  return run;
}

function stale(run: TestRun): string {
  return run.state.graph.ids
    .flatMap((id) => {
      const cause = phaseRecord(run.state, id).stale;
      return cause === undefined ? [] : [`${id}<${cause.phase} ${cause.used}→${cause.latest}`];
    })
    .join(" ");
}

function revisions(run: TestRun): string {
  return run.state.graph.ids.map((id) => `${id}${phaseRecord(run.state, id).revision}`).join(" ");
}

/** Steps and problems of a rerun, in short: `a! b?`. */
function planned(run: TestRun, phases: readonly string[], reach: RerunReach): string {
  const { steps, problems } = planRerun(run.state, { phases, reach, changed: new Map() });
  const parts = steps.map(({ phase, kind }) => `${phase}${kind === "run" ? "!" : "?"}`);
  return [...parts, ...problems.map(({ code, phase }) => `${code} ${phase ?? ""}`.trim())].join(" ");
}

describe("a rerun of a phase", () => {
  test("opens its next revision; what was made from it is stale when the content is another", () => {
    const run = finished();
    const story = storyOf(run.rerun(["a"], "phase"));
    expect(story).toBe("run_reopened, phase_rerun a, open_phase a.r2");
    expect(phaseRecord(run.state, "a")).toMatchObject({ status: "running", revision: 1, turn: 1 });
    const ended = run.succeed("a", "x");
    expect(storyOf(ended)).toBe(
      "artifact_persisted a, phase_succeeded a, phase_invalidated b, phase_invalidated c, run_succeeded, finish_run",
    );
    expect(stale(run)).toBe("b<a 1→2 c<a 1→2");
    expect(ended.revisions.size).toBe(0);
  });

  test("keeps the record of the revision that is run again", () => {
    const run = finished();
    const { revisions: archived } = run.rerun(["b"], "only");
    expect([...archived.keys()]).toEqual(["b.r1"]);
    expect(archived.get("b.r1")).toMatchObject({ status: "succeeded", revision: 1 });
    expect(archived.get("b.r1")?.dependencies).toEqual([
      { phase: "a", revision: 1, artifact_hashes: { a: "a".repeat(64) } },
    ]);
  });

  test("leaves alone what was made from it when its output is the same", () => {
    const run = finished();
    run.rerun(["a"], "phase");
    run.succeed("a", "a");
    expect(stale(run)).toBe("");
    expect(revisions(run)).toBe("a2 b1 c1 other1");
  });

  test("tells once a turn that a phase is stale, and that it no longer is", () => {
    const run = finished({ a: {}, b: {}, c: { after: ["a", "b"] } });
    run.rerun(["a", "b"], "phase");
    expect(storyOf(run.succeed("a", "x"))).toContain("phase_invalidated c");
    expect(storyOf(run.succeed("b", "x"))).not.toContain("phase_invalidated c");
    run.rerun(["a"], "phase");
    expect(storyOf(run.succeed("a", "y"))).toContain("phase_invalidated c");
    run.rerun(["a"], "phase");
    expect(storyOf(run.succeed("a", "a"))).not.toContain("phase_refreshed c");
    run.rerun(["b"], "phase");
    expect(storyOf(run.succeed("b", "b"))).toContain("phase_refreshed c");
    expect(stale(run)).toBe("");
  });

  test("that fails leaves the old revision in force, also for others that are run again", () => {
    const run = finished({ a: skips, b: { after: ["a"] }, c: { after: ["b"] } });
    run.rerun(["a"], "only");
    run.fail("a");
    expect(run.state.run.status).toBe("failed");
    expect(revisions(run)).toBe("a1 b1 c1");
    expect(stale(run)).toBe("");
    run.rerun(["b"], "only");
    expect(run.status("b")).toBe("running");
    run.succeed("b", "y");
    expect(stale(run)).toBe("c<b 1→2");
  });

  test("begins a making anew that failed, and takes away what is left of it", () => {
    const run = TestRun.started({ a: skips, b: { after: ["a"] } });
    run.fail("a");
    expect(storyOf(run.rerun(["a"], "phase", { a: 3 }))).toBe(
      "run_reopened, phase_rerun a, phase_rerun b, discard_making a.r1, open_phase a.r1",
    );
    run.succeed("a", "a");
    run.succeed("b", "b");
    expect(run.state.run.status).toBe("succeeded");
  });

  test("downstream runs everything that depends on it, in the order of the edges", () => {
    const run = finished();
    expect(storyOf(run.rerun(["a"], "downstream"))).toBe(
      "run_reopened, phase_rerun a, phase_rerun b, phase_rerun c, open_phase a.r2",
    );
    expect(run.statuses).toBe("a:running b:pending c:pending other:succeeded");
    expect(storyOf(run.succeed("a", "a"))).toContain("open_phase b.r2");
    run.succeed("b", "b");
    run.succeed("c", "c");
    expect(revisions(run)).toBe("a2 b2 c2 other1");
    expect(run.state.run.status).toBe("succeeded");
  });
});

describe("what is asked to run only if it is stale", () => {
  test("runs when an input has changed, and is reused where the change ends", () => {
    const run = finished();
    run.rerun(["a"], "stale");
    expect(run.statuses).toBe("a:running b:succeeded c:succeeded other:succeeded");
    expect(storyOf(run.succeed("a", "x"))).toContain("phase_rerun b, open_phase b.r2");
    expect(storyOf(run.succeed("b", "b"))).toContain("phase_reused c");
    expect(run.state.run.status).toBe("succeeded");
    expect(revisions(run)).toBe("a2 b2 c1 other1");
    expect(phaseRecord(run.state, "c").dependencies?.[0]?.revision).toBe(2);
    expect(stale(run)).toBe("");
  });

  test("waits for all that may change first", () => {
    const run = finished({ a: {}, slow: { after: ["a"] }, fast: { after: ["a"] }, end: { after: ["slow", "fast"] } });
    run.rerun(["a"], "stale");
    run.succeed("a", "x");
    run.succeed("fast", "y");
    expect(run.status("end")).toBe("succeeded");
    expect(phaseRecord(run.state, "end").if_stale).toBe(true);
    run.succeed("slow", "z");
    expect(run.status("end")).toBe("running");
    expect(phaseRecord(run.state, "end").making?.map(({ revision }) => revision)).toEqual([2, 2]);
  });

  test("stays as it is, and stale, when what it depends on fails", () => {
    const run = finished({ a: skips, b: { after: ["a"], ...skips }, c: { after: ["b"] } });
    run.rerun(["a"], "stale");
    run.succeed("a", "x");
    run.fail("b");
    expect(run.statuses).toBe("a:succeeded b:failed c:succeeded");
    expect(phaseRecord(run.state, "c").if_stale).toBeUndefined();
    expect(stale(run)).toBe("b<a 1→2 c<a 1→2");
    expect(run.state.run.status).toBe("failed");
  });

  test("is asked no more when the run is stopped", () => {
    const run = finished();
    run.rerun(["a"], "stale");
    run.cancel();
    run.drain("a");
    expect(run.state.run.status).toBe("cancelled");
    expect(phaseRecord(run.state, "b").if_stale).toBeUndefined();
  });
});

describe("bringing a run up to date", () => {
  test("finds nothing to do, and then does nothing", () => {
    const run = finished();
    expect(planned(run, [], "update")).toBe("");
    expect(isEmptyDecision(run.rerun([], "update"))).toBe(true);
  });

  test("takes what is stale, what failed and what did not run, and what depends on them", () => {
    const run = TestRun.started({ a: skips, b: { after: ["a"] }, c: {}, d: { after: ["c"] } });
    run.fail("a");
    run.succeed("c", "c");
    run.succeed("d", "d");
    expect(planned(run, [], "update")).toBe("a! b!");
    run.rerun(["c"], "only");
    run.succeed("c", "x");
    expect(planned(run, [], "update")).toBe("a! b! d?");
  });

  test("leaves out what takes no part, and what a condition or an outcome kept out", () => {
    const run = TestRun.started({
      a: {},
      unasked: { takesPart: false },
      cleanup: { afterFailure: ["a"] },
      never: { condition: "false" },
    });
    run.succeed("a", "a");
    expect(run.state.run.status).toBe("succeeded");
    expect(planned(run, [], "update")).toBe("");
  });
});

describe("a rerun is refused", () => {
  test("of a phase that runs, that there is not, or that lacks what it needs", () => {
    const run = TestRun.started({ a: skips, b: { after: ["a"] }, busy: {}, out: { takesPart: false, after: ["a"] } });
    run.fail("a");
    expect(planned(run, ["busy"], "phase")).toBe("busy! PHASE_RUNNING busy");
    expect(planned(run, ["nope"], "phase")).toBe("UNKNOWN_PHASE nope");
    expect(planned(run, ["b"], "only")).toBe("b! MISSING_DEPENDENCY b");
    expect(isEmptyDecision(run.rerun(["b"], "only"))).toBe(true);
    run.succeed("busy", "x");
    run.reopen("a");
    run.succeed("a", "a");
    run.succeed("b", "b");
    expect(planned(run, ["out"], "phase")).toBe("out!");
    run.rerun(["out"], "phase");
    run.succeed("out", "o");
    expect(run.state.run.status).toBe("succeeded");
  });

  test("of a run that was cancelled", () => {
    const run = TestRun.started({ a: {} });
    run.cancel();
    run.drain("a");
    expect(planned(run, ["a"], "phase")).toBe("a! RUN_CANCELLED");
  });
});
