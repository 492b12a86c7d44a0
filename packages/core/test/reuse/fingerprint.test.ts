import type { CompiledPhase, ReuseRule } from "@fanfold/schemas";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { diffPlans } from "../../src/plan/plan-diff.ts";
import { chooseReuse, isReusable } from "../../src/reuse/choose-reuse.ts";
import { differingParts } from "../../src/reuse/differing-parts.ts";
import { phasePrint, printParts, type PrintSurroundings, shardFingerprint } from "../../src/reuse/fingerprint.ts";
import { partDetails } from "../../src/reuse/part-details.ts";
import { RangeHasher, recordsHashOf } from "../../src/reuse/range-hasher.ts";
import { createHash } from "node:crypto";

function planWith(more: object, globals: object = {}) {
  const result = compilePlanValue({
    plan_id: "p",
    version: "1",
    globals,
    phases: [
      { id: "source", command: "seq" },
      {
        id: "work",
        command: "sort",
        args: ["-u"],
        env: { A: "1" },
        depends_on: ["source"],
        shard: { strategy: "chunk", over: "source", chunk_size: 2 },
        consumes: ["source"],
        cache: true,
        ...more,
      },
    ],
  });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.plan;
}

function phaseWith(more: object = {}): CompiledPhase {
  const phase = planWith(more).phases[1];
  if (phase === undefined) throw new Error("no phase");
  return phase;
}

const SURROUNDINGS: PrintSurroundings = { baseDir: ".", env: { G: "1" }, consumed: new Map() };

function partsOf(phase: CompiledPhase, rule: Partial<ReuseRule> = {}, around: Partial<PrintSurroundings> = {}) {
  if (phase.reuse === undefined) throw new Error("the phase has no cache");
  return printParts(phase, { ...phase.reuse, code: {}, ...rule }, { ...SURROUNDINGS, ...around });
}

const sources = (sha: string | null) => new Map([["", sha]]);

describe("the fingerprint of a shard", () => {
  const base = partsOf(phaseWith());

  test.each([
    ["work", partsOf(phaseWith({ args: ["-r"] }))],
    ["work", partsOf(phaseWith({ command: "uniq" }))],
    ["work", partsOf(phaseWith({ cwd: "sub" }))],
    ["work", partsOf(phaseWith({ merge: { strategy: "concat" } }))],
    ["work", partsOf(phaseWith({ merge: { strategy: "records", key: "id" } }))],
    ["work", partsOf({ ...phaseWith(), id: "renamed" })],
    ["work", partsOf({ ...phaseWith(), matrix: { language: "french" } })],
    ["work", partsOf(phaseWith(), {}, { baseDir: "other" })],
    ["env", partsOf(phaseWith({ env: { A: "2" } }))],
    ["env", partsOf(phaseWith(), {}, { env: { G: "2" } })],
    ["code", partsOf(phaseWith(), { code: { "x.sh": "ab" } })],
    ["code", partsOf(phaseWith(), { version: "1" })],
    ["key", partsOf(phaseWith(), { key: "k" })],
    ["consumes other", partsOf(phaseWith(), {}, { consumed: new Map([["other", sources("ab")]]) })],
  ])("has another %s", (part, other) => {
    expect(differingParts(base, other)).toEqual([part]);
    expect(phasePrint(other)).not.toBe(phasePrint(base));
  });

  test("is the same however the phase is scheduled, limited, retried and described", () => {
    const other = phaseWith({
      name: "Sorts",
      retries: 3,
      timeout_sec: 9,
      max_parallel: 1,
      pool: "big",
      priority: 3,
      on_failure: "continue",
      limits: { memory_mb: 10 },
      tags: ["x"],
      shard: { strategy: "chunk", over: "source", chunk_size: 7 },
    });
    expect(phasePrint(partsOf(other))).toBe(phasePrint(base));
  });

  test("does not count the artifact the phase is cut from, and tells a missing one from an empty one", () => {
    const over = partsOf(phaseWith(), {}, { consumed: new Map([["source", sources("ab")]]) });
    expect(over).toEqual(base);
    const [missing, there] = [null, "ab"].map((sha) =>
      phasePrint(partsOf(phaseWith(), {}, { consumed: new Map([["other", sources(sha)]]) })),
    );
    expect(missing).not.toBe(there);
  });

  test("counts a declared version instead of files", () => {
    const [one, other] = [{ "x.sh": "ab" }, { "x.sh": "cd" }].map((code) =>
      partsOf(phaseWith(), { version: "1", code }),
    );
    expect(one).toEqual(other);
    // a version is not the same as a file that is called like it
    expect(partsOf(phaseWith(), { version: "1" }).code).not.toBe(partsOf(phaseWith(), { code: { version: "1" } }).code);
  });

  test("has the records of its shard, or none", () => {
    const print = phasePrint(base);
    const prints = [shardFingerprint(print, null), shardFingerprint(print, "ab"), shardFingerprint(print, "cd")];
    expect(new Set(prints).size).toBe(3);
  });

  test("stays what it is from release to release", () => {
    // whoever changes this line raises FORMAT
    expect(shardFingerprint(phasePrint(base), null)).toMatchInlineSnapshot(
      `"d8d029d54dacb6e60f47acb20e3173bcb2361f89f0c168c5020831cd74a02abb"`,
    );
  });
});

describe("the hashes of records", () => {
  test("are those of the ranges, wherever the stream is cut", () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 });
    fc.assert(
      fc.property(bytes, sizes, sizes, (stream, lengths, pieces) => {
        let at = 0;
        const ranges = lengths.flatMap((length, i) => {
          const byteStart = Math.min(stream.length, at + (i % 2));
          const byteEnd = Math.min(stream.length, byteStart + length);
          at = byteEnd;
          return [{ byteStart, byteEnd, recordStart: 0, recordCount: 0 }];
        });
        const hasher = new RangeHasher(ranges);
        let from = 0;
        for (const piece of [...pieces, stream.length]) {
          hasher.push(stream.subarray(from, from + piece));
          from = Math.min(stream.length, from + piece);
        }
        const hashes = hasher.end();
        const wanted = ranges.map(({ byteStart, byteEnd }) =>
          createHash("sha256").update(stream.subarray(byteStart, byteEnd)).digest("hex"),
        );
        expect(wanted.map((_, shard) => recordsHashOf(hashes, shard))).toEqual(wanted);
        expect(hashes).toHaveLength(64 * ranges.length);
      }),
    );
  });
});

describe("the choice of a run", () => {
  test("takes reuse out of every phase, or refreshes those that are named", () => {
    const plan = planWith({ matrix: { language: ["x", "y"] } });
    expect(chooseReuse(plan, { noCache: true }).plan.phases.some(({ reuse }) => reuse !== undefined)).toBe(false);
    const one = chooseReuse(plan, { refresh: ["work[language=x]", "nowhere", "source"] });
    expect(one.unknown).toEqual(["nowhere"]);
    expect(one.plan.phases.map(({ reuse }) => reuse?.refresh)).toEqual([undefined, true, false]);
    expect(chooseReuse(plan, { refresh: ["work"] }).plan.phases.map(({ reuse }) => reuse?.refresh)).toEqual([
      undefined,
      true,
      true,
    ]);
  });

  test("a phase is reusable with a version, or once its files were looked at", () => {
    expect(isReusable(phaseWith())).toBe(false);
    expect(isReusable(phaseWith({ cache: { version: "1" } }))).toBe(true);
    expect(isReusable(phaseWith({ cache: false }))).toBe(false);
    const phase = phaseWith();
    if (phase.reuse === undefined) throw new Error("the phase has no cache");
    expect(isReusable({ ...phase, reuse: { ...phase.reuse, code: {} } })).toBe(true);
  });
});

test("a plan differs by its files, where both are known, and not by what a run does with earlier outputs", () => {
  const withRule = (rule: Partial<ReuseRule>) => {
    const plan = planWith({});
    const phases = plan.phases.map((phase) =>
      phase.reuse === undefined ? phase : { ...phase, reuse: { ...phase.reuse, ...rule } },
    );
    return { ...plan, phases };
  };
  const base = withRule({ code: { "a.sh": "1", "b.sh": "1" } });
  const changes = (rule: Partial<ReuseRule>) => Object.fromEntries(diffPlans(base, withRule(rule)).changed);
  expect(changes({ code: { "a.sh": "2", "b.sh": "1" } })).toEqual({ work: "file a.sh" });
  expect(changes({ code: { "a.sh": "1" } })).toEqual({ work: "file b.sh" });
  expect(changes({ code: null })).toEqual({});
  expect(changes({ ...base.phases[1]?.reuse, refresh: true, ttl_days: 3 })).toEqual({});
  expect(changes({ code: { "a.sh": "1", "b.sh": "1" }, key: "k" })).toEqual({ work: "cache.key" });
  expect(changes({ version: "2" })).toEqual({ work: "cache.version" });
});

test("details of a difference name fields, files and variables, and no value of a variable", () => {
  const of = (more: object, globals: object = {}) => {
    const plan = planWith(more, globals);
    const phase = plan.phases[1];
    if (phase === undefined) throw new Error("no phase");
    return { plan, phase };
  };
  const one = of({ env: { A: "secret", B: "1" }, args: ["-r"] }, { env: { G: "1" } });
  const other = of({ env: { A: "other" } });
  expect(partDetails("env", one, other)).toEqual(["A", "B", "G"]);
  expect(partDetails("work", one, other)).toEqual(["args"]);
  expect(partDetails("key", one, other)).toEqual([]);
  expect(partDetails("code", of({ cache: { version: "2" } }), of({ cache: { version: "1" } }))).toEqual([
    "version 1 → version 2",
  ]);
});
