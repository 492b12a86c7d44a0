import { EventEmitter, once } from "node:events";
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  type AttemptChanges,
  AttemptFixture,
  contentOf,
  failureOf,
  logText,
  outputText,
  succeeded,
} from "./attempt-fixture.ts";

const fixture = new AttemptFixture();
afterAll(() => fixture.remove());

const records = {
  merge: { strategy: "records", key: [], on_duplicate: "error", complete: false },
} satisfies AttemptChanges["phase"];
const array = { merge: { strategy: "array" } } as const;

describe("context", () => {
  test("has the records of the shard and says which attempt this is", async () => {
    const inputFile = join(fixture.root, "input.jsonl");
    writeFileSync(inputFile, '{"id":1}\n{"id":2}\n');
    const ended = await fixture.handler("export default (ctx) => ({ ids: ctx.items.map((i) => i.id), run: ctx.run })", {
      spec: { inputFile },
    });
    expect(JSON.parse(outputText(ended))).toEqual({
      ids: [1, 2],
      run: { run_id: "run_1", phase: "build", revision: 1, shard_index: 2, shard_count: 5, attempt: 1 },
    });
  });

  test("has no items when the phase is not sharded, and the env of plan and phase", async () => {
    const ended = await fixture.handler("export default (ctx) => [ctx.items.length, ctx.env.A, ctx.env.B]", {
      phase: { env: { B: "phase" }, ...array },
      spec: { planEnv: { A: "plan", B: "plan" } },
    });
    expect(JSON.parse(outputText(ended))).toEqual([0, "plan", "phase"]);
  });

  test("reads consumed artifacts", async () => {
    writeFileSync(join(fixture.artifactsDir, "lines"), '{"n":1}\n\n{"n":2}\n');
    writeFileSync(join(fixture.artifactsDir, "conf"), '{"deep":[1]}');
    const ended = await fixture.handler(
      `export default async ({ artifacts }) => ({
        path: artifacts.path("lines"), text: await artifacts.text("conf"),
        json: await artifacts.json("conf"), records: await artifacts.records("lines") })`,
    );
    expect(JSON.parse(outputText(ended))).toEqual({
      path: join(fixture.artifactsDir, "lines"),
      text: '{"deep":[1]}',
      json: { deep: [1] },
      records: [{ n: 1 }, { n: 2 }],
    });
  });

  test.each(["other", "../input.jsonl", ".."])("names the artifact %s, which was not consumed", async (name) => {
    const failure = failureOf(await fixture.handler(`export default ({ artifacts }) => artifacts.text("${name}")`));
    expect(failure.why).toBe(`there is no consumed artifact "${name}"`);
  });

  test("reports progress, usage and log lines", async () => {
    const ended = await fixture.handler(
      `export default (ctx) => {
        ctx.progress({ completed: 1, total: 2 }); ctx.usage({ tokens: 5 });
        ctx.log.info("halfway"); ctx.log.error(new RangeError("too far")); }`,
    );
    expect(ended.events).toEqual([
      { type: "progress", progress: { completed: 1, total: 2 } },
      { type: "usage", usage: { tokens: 5 } },
      { type: "log", level: "info", message: "halfway" },
      { type: "log", level: "error", message: "RangeError: too far" },
    ]);
    expect(ended.text).toBe("[info] halfway\n[error] RangeError: too far\n");
    expect(logText(ended)).toBe(ended.text);
  });

  test("refuses progress that is no number", async () => {
    const failure = failureOf(await fixture.handler('export default (ctx) => ctx.progress({ completed: "all" })'));
    expect(failure.why).toBe('TypeError: ctx.progress(): "completed" must be a number of at least 0');
  });

  test("takes artifacts as a path or as bytes, awaited or not", async () => {
    fixture.write("given.txt", "from a file");
    const ended = await fixture.handler(
      `export default (ctx) => { ctx.artifact("report", "given.txt"); ctx.artifact("extra", Buffer.from("bytes")); }`,
      { phase: { provides: ["built", "extra", "report"] } },
    );
    const contents = succeeded(ended).artifacts.map(({ name, file }) => [name, contentOf({ file })]);
    expect(contents).toEqual([
      ["extra", "bytes"],
      ["report", "from a file"],
    ]);
  });

  test("an artifact that is not awaited and not declared fails the attempt", async () => {
    const failure = failureOf(await fixture.handler('export default (ctx) => { ctx.artifact("nope", "x"); }'));
    expect(failure).toMatchObject({
      error_code: "ARTIFACT_UNDECLARED",
      why: expect.stringContaining('"built", "report"'),
    });
  });

  test("an artifact under the name of the output is the output, unless a value is returned too", async () => {
    const give = 'await ctx.artifact("built", Buffer.from("whole"))';
    expect(outputText(await fixture.handler(`export default async (ctx) => { ${give}; }`))).toBe("whole");
    const twice = await fixture.handler(`export default async (ctx) => { ${give}; return 1; }`);
    expect(failureOf(twice).error_code).toBe("ARTIFACT_CONFLICT");
  });
});

describe("module", () => {
  test("that is missing is named", async () => {
    const failure = failureOf(await fixture.run({ kind: "handler", handler: "./gone.mjs" }));
    expect(failure).toMatchObject({ error_code: "HANDLER_NOT_FOUND", why: expect.stringContaining('"./gone.mjs"') });
  });

  test.each([
    ["export const run = () => 1", "has no default export, not a function"],
    ["export default 7", "has a default export of type number, not a function"],
    ["throw new Error('on load')", "cannot be loaded: on load"],
    ["import './not-there.mjs'; export default () => 1", "cannot be loaded"],
    ["export default (", "cannot be loaded"],
  ])("%s is invalid", async (source, why) => {
    const failure = failureOf(await fixture.handler(source));
    expect(failure).toMatchObject({ error_code: "HANDLER_INVALID", why: expect.stringContaining(why) });
  });

  test("outside the workspace is refused, also through a symlink", async () => {
    const outside = join(fixture.root, "outside.mjs");
    writeFileSync(outside, "export default () => 1");
    symlinkSync(outside, join(fixture.planDir, "linked.mjs"));
    for (const handler of ["../../outside.mjs", outside, "linked.mjs"]) {
      const failure = failureOf(await fixture.run({ kind: "handler", handler }));
      expect(failure.error_code).toBe("PATH_OUTSIDE_WORKSPACE");
    }
  });

  test("is loaded again when its file has changed", async () => {
    const run = async () => outputText(await fixture.run({ kind: "handler", handler: "changing.mjs" }));
    fixture.write("changing.mjs", "export default () => 'one'");
    expect(await run()).toBe("one");
    fixture.write("changing.mjs", "export default () => 'three'");
    expect(await run()).toBe("three");
  });
});

describe("errors", () => {
  test("what a handler throws is the reason, its stack is in the log", async () => {
    const ended = await fixture.handler("export default async () => { throw new Error('no zone Mars/Base'); }");
    expect(failureOf(ended)).toMatchObject({ error_code: "HANDLER_ERROR", why: "no zone Mars/Base" });
    expect(logText(ended)).toMatch(/Error: no zone Mars\/Base\n\s+at /);
  });

  test.each([
    ["new TypeError('bad')", "TypeError: bad"],
    ["Object.assign(new Error('refused'), { code: 'E_QUOTA' })", "Error [E_QUOTA]: refused"],
    ["'just text'", "just text"],
    ["undefined", "undefined"],
    ["{ reason: 1 }", '{"reason":1}'],
    ["new Error('')", "an error without a message"],
  ])("throwing %s gives the reason %s", async (thrown, why) => {
    expect(failureOf(await fixture.handler(`export default () => { throw ${thrown}; }`)).why).toBe(why);
  });

  test("a very long message is cut", async () => {
    const failure = failureOf(await fixture.handler("export default () => { throw new Error('x'.repeat(1e6)); }"));
    expect(failure.why).toHaveLength(4096);
  });

  test("a shard's input that cannot be read is the worker's failure", async () => {
    const ended = await fixture.handler("export default () => 1", { spec: { inputFile: "/nowhere/input.jsonl" } });
    expect(failureOf(ended).error_code).toBe("WORKER_ERROR");
  });
});

describe("stop", () => {
  test("a handler that follows its signal ends early and stays cancelled", async () => {
    const ended = await fixture.handler(
      `export default (ctx) => new Promise((resolve) => {
        ctx.signal.addEventListener("abort", () => resolve("late")); ctx.log.info("ready"); })`,
      { onText: (text, cancel) => text.includes("ready") && cancel() },
    );
    expect(ended.outcome.status).toBe("cancelled");
    expect(ended.outcome.durationMs).toBeLessThan(2000);
  });

  test("a handler that ignores its signal is left alone after the grace, and has no effect any more", async () => {
    const gate = new EventEmitter();
    const isOver = once(gate, "over");
    Object.assign(globalThis, { fanfoldTestGate: once(gate, "go on"), fanfoldTestOver: () => gate.emit("over") });
    const ended = await fixture.handler(
      `export default async (ctx) => {
        await globalThis.fanfoldTestGate;
        ctx.log.info("too late"); ctx.progress({ completed: 1 });
        await ctx.artifact("report", Buffer.from("x")).catch(() => {});
        globalThis.fanfoldTestOver(); return (function* () { yield 1; })(); }`,
      { spec: { timeoutMs: 50, killGraceMs: 50 } },
    );
    expect(ended.outcome.status).toBe("timed_out");
    expect(failureOf(ended).why).toContain("did not end on its signal");
    const textAtEnd = logText(ended);
    gate.emit("go on");
    await isOver;
    expect(ended.events).toEqual([]);
    expect(logText(ended)).toBe(textAtEnd);
    expect(existsSync(join(ended.spec.scratchDir, "artifacts"))).toBe(false);
  });

  test("an endless stream of records ends with the attempt", async () => {
    const ended = await fixture.handler(
      `export default (ctx) => (async function* () { for (;;) { await new Promise((r) => setImmediate(r)); yield { a: 1 }; } })()`,
      { spec: { timeoutMs: 100 } },
    );
    expect(ended.outcome.status).toBe("timed_out");
    expect(ended.outcome.durationMs).toBeLessThan(3000);
  });
});

describe("output", () => {
  test.each([
    ["'text'", {}, "text"],
    ["new Uint8Array([65, 10])", {}, "A\n"],
    ["undefined", {}, ""],
    ["undefined", records, ""],
    ["undefined", array, "null\n"],
    ["[{ a: 1 }, { a: 2 }]", {}, '{"a":1}\n{"a":2}\n'],
    ["[{ a: 1 }, { a: 2 }]", records, '{"a":1}\n{"a":2}\n'],
    ["[{ a: 1 }, { a: 2 }]", array, '[{"a":1},{"a":2}]\n'],
    ["[]", records, ""],
    ["[]", array, "[]\n"],
    ["{ a: 1 }", records, '{"a":1}\n'],
    ["{ a: 1 }", {}, '{"a":1}\n'],
    ["5", array, "5\n"],
    ["null", {}, "null\n"],
    ["new Set([1, 2])", {}, "1\n2\n"],
    ["(async function* () { yield { a: 1 }; yield { a: 2 }; })()", records, '{"a":1}\n{"a":2}\n'],
    ["(async function* () {})()", records, ""],
    ["(async function* () { yield 1; yield 2; })()", array, "[1,2]\n"],
    ["(async function* () {})()", array, "[]\n"],
  ])("returning %s with %j gives %j", async (value, phase, text) => {
    expect(outputText(await fixture.handler(`export default () => (${value})`, { phase }))).toBe(text);
  });

  test.each([
    ["5", records, "the merge folds records, but the handler returned number"],
    ["null", records, "the merge folds records, but the handler returned null"],
    ["[1n]", {}, "element 1 of the output cannot be written as JSON"],
    ["[{}, undefined]", {}, "element 2 of the output is undefined"],
    ["() => 1", {}, "the output is function"],
  ])("returning %s with %j is invalid", async (value, phase, why) => {
    const failure = failureOf(await fixture.handler(`export default () => (${value})`, { phase }));
    expect(failure).toMatchObject({ error_code: "INVALID_OUTPUT", why: expect.stringContaining(why) });
  });

  test("long arrays and streams are stored in a file, element for element", async () => {
    const expected = Array.from({ length: 20_000 }, (_, i) => `{"line":${i}}\n`).join("");
    for (const value of [
      "Array.from({ length: 20000 }, (_, line) => ({ line }))",
      "(async function* () { for (let line = 0; line < 20000; line++) yield { line }; })()",
    ]) {
      const ended = await fixture.handler(`export default () => (${value})`);
      expect(succeeded(ended).output).toEqual({ file: join(ended.spec.scratchDir, "output") });
      expect(outputText(ended) === expected).toBe(true);
    }
  });

  test("a stream that throws fails the attempt", async () => {
    const ended = await fixture.handler(
      "export default () => (async function* () { yield 1; throw new Error('dry'); })()",
    );
    expect(failureOf(ended)).toMatchObject({ error_code: "HANDLER_ERROR", why: "dry" });
  });

  test("a quiet handler with a small output touches no scratch directory", async () => {
    const ended = await fixture.handler("export default () => ({ ok: true })");
    expect(succeeded(ended).output).toHaveProperty("bytes");
    expect(existsSync(ended.spec.scratchDir)).toBe(false);
  });

  test("the check sees the output, in memory or not", async () => {
    const seen: string[] = [];
    const checkOutput = async (output: Parameters<typeof contentOf>[0]) => void seen.push(contentOf(output));
    await fixture.handler("export default () => 'small'", { spec: { checkOutput } });
    await fixture.handler("export default () => (function* () { yield 1; })()", { spec: { checkOutput } });
    expect(seen).toEqual(["small", "1\n"]);
  });
});
