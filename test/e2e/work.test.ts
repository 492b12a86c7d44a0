import { readFile } from "node:fs/promises";
import { JournalLineSchema } from "@fanfold/schemas";
import { loadPeakMemoryBytes } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { inDeployment, inWorkspace, parseRun, workerOf } from "./site.ts";

const FLOOD_BYTES = 100 * 1024 * 1024;
const LINE_BYTES = 10 * 1024 * 1024;
/** Most memory a worker may take, whatever its commands print. */
const MAX_WORKER_BYTES = 400 * 1024 * 1024;

describe("a shard that cannot work fails its attempt, with a clear reason:", () => {
  test.concurrent(
    "a handler that is missing, is none, or throws; a command that is not found; output that is not JSONL",
    inWorkspace(async (workspace) => {
      await workspace.write("bare.mjs", "export const nothing = 1;\n");
      await workspace.write("throws.mjs", 'export default () => { throw new Error("no such voice"); };\n');
      const shard = { strategy: "chunk", over: [{ n: 0 }, { n: 1 }], chunk_size: 2 };
      const phases = [
        { id: "missing", handler: "./nowhere.mjs" },
        { id: "bare", handler: "./bare.mjs" },
        { id: "throws", handler: "./throws.mjs" },
        { id: "unknown", command: "tranzlate" },
        { id: "broken", command: "printf", args: ['{"n":0}\\n{"n":1,}\\n'], shard, merge: { strategy: "records" } },
      ].map((phase) => ({ ...phase, on_failure: "skip_dependents" }));
      await workspace.write("plan.json", { plan_id: "bad", version: "1", phases });
      const { code, stdout } = await workspace.run("run", "plan.json", "--json");
      expect(code).toBe(1);
      expect(parseRun(stdout).phases.map(({ problem }) => problem)).toMatchObject([
        { error_code: "HANDLER_NOT_FOUND", why: expect.stringContaining('"./nowhere.mjs" is not a file') },
        { error_code: "HANDLER_INVALID", why: expect.stringContaining('"./bare.mjs" has no default export') },
        { error_code: "HANDLER_ERROR", why: expect.stringContaining("no such voice") },
        { error_code: "COMMAND_NOT_FOUND", why: expect.stringContaining("tranzlate") },
        { error_code: "INVALID_OUTPUT", why: expect.stringContaining("line 2") },
      ]);
      for (const { problem } of parseRun(stdout).phases) expect(problem?.next_action).toEqual(expect.any(String));
    }),
  );

  test.concurrent(
    "one that takes too long, together with what it started in turn",
    inWorkspace(async (workspace) => {
      const grandchild = `sh -c 'trap "" TERM; while :; do sleep 100; done'`;
      const command = `sh -c "${grandchild.replaceAll('"', '\\"')} & sleep 100" & echo started; sleep 100`;
      await workspace.write("plan.json", {
        plan_id: "slow",
        version: "1",
        globals: { kill_grace_sec: 0.2 },
        phases: [{ id: "a", command, shell: true, timeout_sec: 0.5 }],
      });
      const { code, stdout } = await workspace.run("run", "plan.json");
      expect(await workspace.processes()).toEqual([]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^failed {2}a\[0\], attempt 1/m);
      expect(stdout).toMatch(/^ {2}why +.*(timed out|too long|0\.5)/m);
      expect(stdout).toMatch(/^ {2}\| started$/m);
      const events = (await workspace.journal()).map(({ event }) => event);
      expect(events).toContain("shard_timeout");
    }),
  );
});

describe("the log of an attempt", () => {
  test.concurrent(
    "comes back as it was written, however long it and its lines are",
    inWorkspace(async (workspace) => {
      const line = "äöü€".repeat(50_000);
      await workspace.write("line.txt", `${line}\nlast\n`);
      const phases = [{ id: "a", command: "cat", args: ["line.txt"] }];
      await workspace.write("plan.json", { plan_id: "long", version: "1", phases });
      await workspace.read("run", "plan.json");
      const logs = await workspace.read("logs", "@latest");
      expect(logs.slice(logs.indexOf("\n") + 1) === `${line}\nlast\n`).toBe(true);
    }),
  );
});

describe("a worker", () => {
  test.concurrent(
    "takes 100 MB of output, and a line of 10 MB, in bounded memory",
    inDeployment(async (deployment, { annotate }) => {
      const workspace = await deployment.workspace("worker");
      const [worker] = await Promise.all([
        deployment.startWorker(workspace, { concurrency: 2 }),
        deployment.startScheduler(),
      ]);
      const { desk } = deployment;
      const phases = [
        { id: "flood", command: `yes 0123456789abcde | head -c ${FLOOD_BYTES}`, shell: true },
        { id: "line", command: `head -c ${LINE_BYTES} /dev/zero | tr '\\0' x; echo; echo last`, shell: true },
      ];
      await desk.write("plan.json", { plan_id: "loud", version: "1", phases });
      const { code, stdout } = await desk.run("submit", "plan.json", "--wait", "--json");
      expect(code).toBe(0);
      const sizes = parseRun(stdout).phases.map(({ artifacts }) => artifacts[0]?.size_bytes);
      expect(sizes).toEqual([FLOOD_BYTES, LINE_BYTES + "\nlast\n".length]);
      const peakBytes = await loadPeakMemoryBytes(worker.pid);
      await annotate(`the worker took ${Math.round(peakBytes / 1024 / 1024)} MiB at most`);
      expect(peakBytes).toBeLessThan(MAX_WORKER_BYTES);
    }),
  );
});

/** Phases that do what a strict worker does not allow, each by itself. */
const FORBIDDEN = [
  { id: "command", command: "cat", retries: 3 },
  { id: "line", command: "echo hi", shell: true },
  { id: "handler", handler: "./elsewhere.mjs" },
].map((phase) => ({ ...phase, on_failure: "skip_dependents" }));

describe("a worker that allows little", () => {
  test.concurrent(
    "by its flags refuses the rest without a retry, and passes on no more of its environment than it says",
    inDeployment(async (deployment) => {
      const workspace = await deployment.workspace("strict");
      await workspace.write("elsewhere.mjs", "export default () => 1;\n");
      const flags = ["--allow-command", "env", "--handlers-dir", "handlers", "--pass-env", "MY_*"];
      await Promise.all([
        deployment.startScheduler(),
        deployment.startWorker(workspace.with({ MY_OWN: "1", YOURS: "2" }), { concurrency: 2, flags }),
      ]);
      const { desk } = deployment;
      const phases = [...FORBIDDEN, { id: "env", command: "env" }];
      await desk.write("plan.json", { plan_id: "strict", version: "1", phases });
      const { stdout } = await desk.run("submit", "plan.json", "--wait", "--json", "--run-id", "x");
      expect(parseRun(stdout).phases.map(({ problem }) => problem?.error_code)).toEqual([
        "COMMAND_NOT_ALLOWED",
        "COMMAND_NOT_ALLOWED",
        "HANDLER_NOT_ALLOWED",
        undefined,
      ]);
      const started = (await desk.journal("x")).filter(({ event }) => event === "shard_started");
      expect(started).toHaveLength(4);
      const env = await desk.read("logs", "x", "--phase", "env");
      expect(env).toMatch(/^MY_OWN=1$/m);
      expect(env).toMatch(/^PATH=/m);
      expect(env).not.toMatch(/YOURS|REDIS_URL|FANFOLD_ARTIFACTS=file/);
    }),
  );

  test.concurrent(
    "by its environment does so in a run of this process, too",
    inWorkspace(async (workspace) => {
      await workspace.write("elsewhere.mjs", "export default () => 1;\n");
      await workspace.write("plan.json", { plan_id: "strict", version: "1", phases: FORBIDDEN });
      const env = { FANFOLD_ALLOW_COMMANDS: "env, true", FANFOLD_HANDLERS_DIR: "handlers" };
      const { code, stdout } = await workspace.with(env).run("run", "plan.json", "--json");
      expect(code).toBe(1);
      expect(parseRun(stdout).phases.map(({ problem }) => problem?.why)).toEqual([
        expect.stringContaining('"cat" is not allowed on this worker, which allows: env, true'),
        expect.stringContaining("shell: true is not allowed"),
        expect.stringContaining("is not in"),
      ]);
    }),
  );
});

/** A plan in TypeScript: five words, made loud in three shards by a handler, joined by a plain function. */
const TYPESCRIPT_PLAN = `
import { definePlan, type PlanInput } from "fanfold";

const words: string[] = ["alpha", "beta", "gamma", "delta", "epsilon"];
const over = words.map((word, n) => ({ n, word }));

const plan: PlanInput = definePlan({
  plan_id: "typed",
  version: "1",
  variables: { MARK: { default: "!" } },
  phases: [
    {
      id: "loud",
      handler: "./handlers/loud.mjs",
      env: { MARK: "\${MARK}" },
      shard: { strategy: "chunk", over, chunk_size: 2 },
      merge: { strategy: "records", key: "n", complete: true },
    },
    { id: "join", handler: "./handlers/join.mjs", depends_on: ["loud"], consumes: ["loud"] },
  ],
});
export default plan;
`;
const LOUD_HANDLER = `
import { defineHandler } from "fanfold";

export default defineHandler(async (ctx) => {
  ctx.log.info(\`shard \${ctx.run.shard_index + 1} of \${ctx.run.shard_count}\`);
  return ctx.items.map(({ n, word }) => ({ n, word: word.toUpperCase() + ctx.env.MARK }));
});
`;
const JOIN_HANDLER = `
export default async ({ artifacts }) => {
  const records = await artifacts.records("loud");
  return records.map(({ word }) => word).join(" ") + "\\n";
};
`;

/** The older form: steps, with every field it knew. */
const STEPS_PLAN = {
  plan_id: "older",
  version: "2.1",
  globals: { max_concurrency: 2, default_timeout_sec: 60, default_retries: 1, env: { GREETING: "hello" } },
  steps: [
    {
      id: "greet",
      name: "Greet",
      description: "Says hello",
      command: "echo $GREETING $WHO >> log.txt; test $FANFOLD_ATTEMPT = 2",
      shell: true,
      cwd: "sub",
      env: { WHO: "world" },
      retry_delay_sec: 0.01,
      provides: ["greeting"],
      tags: ["x"],
      ui_hints: { color: "blue", order: 1 },
    },
    { id: "flaky", command: "false", retries: 0, critical: false, on_failure: "continue", timeout_sec: 5 },
    {
      id: "count",
      command: "wc",
      args: ["-l", "log.txt"],
      cwd: "sub",
      depends_on: ["greet", "flaky"],
      consumes: ["greeting"],
    },
  ],
  metadata: { project: "demo", phase_id: "p1", tags: ["a", "b"] },
};

/** A script of a user: submits twice under one id, follows the run to its end, and tells what it saw. */
const CLIENT_SCRIPT = `
import { createClient } from "fanfold";

const plan = {
  plan_id: "scripted",
  version: "1",
  variables: { WHO: {} },
  phases: [
    { id: "a", command: "echo", args: ["hello \${WHO} \${NOBODY}"] },
    { id: "b", command: "true", pool: "gpu" },
    { id: "c", command: "false" },
  ],
};
const client = await createClient();
const options = { variables: { WHO: "you" }, runId: "from-a-script", skip: ["c"] };
const submitted = [await client.submit(plan, options), await client.submit(plan, options)];
const journal = [];
for await (const line of client.follow("from-a-script", { signal: AbortSignal.timeout(20_000) })) {
  journal.push(line);
  if (["run_succeeded", "run_failed", "run_cancelled"].includes(line.event)) break;
}
const { status } = await client.getRun("from-a-script");
const refusal = await client.cancel("from-a-script").catch((error) => error.message);
const invalid = await client.submit({ ...plan, phases: [] }).catch((error) => error.message);
console.log(JSON.stringify({ submitted, journal, status, refusal, invalid }));
await client.close();
`;

describe("a plan", () => {
  test.concurrent(
    "in TypeScript runs handlers, one defined and one a plain function",
    inWorkspace(async (workspace) => {
      await workspace.write("plan.ts", TYPESCRIPT_PLAN);
      await workspace.write("handlers/loud.mjs", LOUD_HANDLER);
      await workspace.write("handlers/join.mjs", JOIN_HANDLER);
      const { code, stdout } = await workspace.run("run", "plan.ts", "--json", "--var", "MARK=?");
      expect(code).toBe(0);
      expect(parseRun(stdout).shards).toMatchObject({ total: 4, succeeded: 4 });
      const output = await workspace.read("logs", "@latest", "--phase", "loud", "--shard", "2");
      expect(output).toContain("shard 3 of 3\n");
      const join = parseRun(stdout).phases.find(({ phase }) => phase === "join");
      expect(join?.artifacts[0]?.size_bytes).toBe("ALPHA? BETA? GAMMA? DELTA? EPSILON?\n".length);
      const [written] = JSON.parse(stdout).outputs;
      expect(written).toMatchObject({ phase: "join", sha256: join?.artifacts[0]?.sha256 });
      expect(await readFile(written.file, "utf8")).toBe("ALPHA? BETA? GAMMA? DELTA? EPSILON?\n");
    }),
  );

  test.concurrent(
    "in the older form of steps loads and runs unchanged",
    inWorkspace(async (workspace) => {
      await workspace.write("plan.json", STEPS_PLAN);
      await workspace.write("sub/log.txt", "");
      const { code, stdout } = await workspace.run("run", "plan.json");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {2}tolerated +failure of flaky$/m);
      expect(stdout).toMatch(/^ {2}attempts +4 \(1 retry, 0 lost\)$/m);
      const [log, count] = await Promise.all([
        workspace.waitForFile("sub/log.txt"),
        workspace.read("logs", "@latest", "--phase", "count"),
      ]);
      expect(log).toBe("hello world\nhello world\n");
      expect(count).toContain("2 log.txt");
    }),
  );
});

describe("the client library", () => {
  test.concurrent(
    "submits a plan from a script and follows its run, each phase of it on a worker of its pool",
    inDeployment(async (deployment) => {
      const { desk } = deployment;
      const [cpu, gpu] = await Promise.all([deployment.workspace("cpu"), deployment.workspace("gpu")]);
      await Promise.all([
        deployment.startScheduler(),
        deployment.startWorker(cpu),
        deployment.startWorker(gpu, { pool: "gpu" }),
      ]);
      await desk.write("script.mjs", CLIENT_SCRIPT);
      const { code, stdout, stderr } = await desk.startScript("script.mjs").ended();
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const { submitted, journal, status, refusal, invalid } = JSON.parse(stdout);
      expect(submitted).toEqual([
        {
          runId: "from-a-script",
          notReused: [],
          isNew: true,
          unserved: [],
          warnings: [expect.objectContaining({ severity: "warning" })],
        },
        {
          runId: "from-a-script",
          notReused: [],
          isNew: false,
          unserved: [],
          warnings: [expect.objectContaining({ severity: "warning" })],
        },
      ]);
      const lines = JournalLineSchema.array().parse(journal);
      expect(lines.at(0)?.event).toBe("run_queued");
      expect(lines.at(-1)?.event).toBe("run_succeeded");
      const starts = lines.filter(({ event }) => event === "shard_started");
      const places = starts.map((line) => `${line.phase} on ${workerOf(line)}`);
      expect(new Set(places)).toEqual(new Set(["a on cpu", "b on gpu"]));
      expect(status).toBe("succeeded");
      expect(refusal).toContain("is over: succeeded");
      expect(invalid).toMatch(/^invalid plan\n.*phases/s);
      expect(await desk.read("logs", "from-a-script")).toContain("hello you ${NOBODY}\n");
    }),
  );
});
