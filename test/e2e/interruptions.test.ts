import { join } from "node:path";
import { type CliProcess, eventually, findProcessesOf } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { inDeployment, inWorkspace, type RemoteDeployment, type Workspace } from "./site.ts";

/** Ends when `go` is there. */
const GATED = "echo waiting; while [ ! -e go ]; do sleep 0.02; done; echo gone";
/** A child that only SIGKILL ends, in the background of a command that SIGTERM ends. A plan writes `$` as `$$`. */
const STUBBORN = `sh -c 'trap "" TERM; echo $$$$ > stubborn.pid; while :; do sleep 100; done' & sleep 100`;

/** A phase with this command, and one that waits for it. */
function chainPlan(command: string, globals: object = {}): object {
  const next = { id: "next", command: "true", depends_on: ["a"] };
  return { plan_id: "chain", version: "1", globals, phases: [{ id: "a", command, shell: true }, next] };
}

/** Six shards, of which those from 2 on wait until `go` is there, and a phase that prints what they are folded to. */
function fanPlan(): object {
  const command = `[ $FANFOLD_SHARD_INDEX -lt 2 ] || { ${GATED}; }; cat $FANFOLD_INPUT > $FANFOLD_OUTPUT`;
  const shard = { strategy: "chunk", over: [0, 1, 2, 3, 4, 5].map((n) => ({ n })), chunk_size: 1 };
  const merge = { strategy: "records", key: "n", complete: true };
  const show = { command: "cat $FANFOLD_ARTIFACTS/fan", shell: true, depends_on: ["fan"], consumes: ["fan"] };
  const phases = [
    { id: "fan", command, shell: true, shard, merge },
    { id: "show", ...show },
  ];
  return { plan_id: "fan", version: "1", phases };
}

/** What `fanPlan` must print whatever happens. */
const FOLDED = [0, 1, 2, 3, 4, 5].map((n) => `{"n":${n}}\n`).join("");

interface Services {
  readonly workspace: Workspace;
  readonly scheduler: CliProcess;
  readonly worker: CliProcess;
}

async function startServices(deployment: RemoteDeployment, env: Record<string, string> = {}): Promise<Services> {
  const workspace = (await deployment.workspace("worker")).with(env);
  const starts = [deployment.startScheduler(), deployment.startWorker(workspace, { concurrency: 2 })] as const;
  const [scheduler, worker] = await Promise.all(starts);
  return { workspace, scheduler, worker };
}

/** Submits a plan and watches its run until a shard has started. */
async function submitAndWait(desk: Workspace, plan: object, place: string): Promise<CliProcess> {
  await desk.write("plan.json", plan);
  const watch = desk.start("submit", "plan.json", "--wait", "--run-id", "x");
  await watch.printed(new RegExp(`${place.replace(/\W/g, "\\$&")} attempt 1 started`));
  return watch;
}

async function isAlive(workspace: Workspace, pidFile: string): Promise<boolean> {
  const pid = Number(await workspace.waitForFile(pidFile));
  return (await findProcessesOf(workspace.dir)).some((found) => found.pid === pid);
}

describe("a run ends well when", () => {
  test.concurrent(
    "the process that carries it is killed and it is started again under its id",
    inWorkspace(async (workspace) => {
      await workspace.write("plan.json", fanPlan());
      const killed = workspace.start("run", "plan.json", "--run-id", "again", "--concurrency", "2");
      await killed.printed(/fan\[3\] attempt 1 started/);
      killed.kill("SIGKILL");
      await killed.ended();
      await workspace.write("go", "");
      const { code, stderr } = await workspace.run("run", "plan.json", "--run-id", "again", "--concurrency", "2");
      expect(code).toBe(0);
      expect(stderr).toContain("again is there already");
      expect(await workspace.read("logs", "again", "--phase", "show")).toContain(FOLDED);
      const lost = (await workspace.journal("again")).filter(({ event }) => event === "shard_lost");
      expect(new Set(lost.map(({ shard }) => shard))).toEqual(new Set([2, 3]));
      expect(lost).toHaveLength(2);
    }),
  );

  test.concurrent(
    "a worker is frozen until its lock has ended, and wakes: its shard is taken over, its processes die, its word is refused",
    inDeployment(async (deployment) => {
      const { workspace, worker } = await startServices(deployment);
      const command = "echo $$$$ > attempt-$FANFOLD_ATTEMPT.pid; while [ ! -e go ]; do sleep 0.02; done; pwd";
      const watch = await submitAndWait(deployment.desk, chainPlan(command), "a[0]");
      await workspace.waitForFile("attempt-1.pid");
      worker.kill("SIGSTOP");
      const successor = await deployment.workspace("successor");
      await deployment.startWorker(successor);
      const readyAtMs = Date.now();
      await watch.printed(/attempt 2 started/);
      expect(await isAlive(workspace, "attempt-1.pid")).toBe(true);
      worker.kill("SIGCONT");
      await eventually(async () => !(await isAlive(workspace, "attempt-1.pid")));
      await successor.write("go", "");
      const { code, stdout } = await watch.ended();
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {2}attempts +3 \(0 retries, 1 lost\)$/m);
      const journal = await deployment.desk.journal("x");
      const accepted = journal.filter(({ event, phase }) => event === "shard_succeeded" && phase === "a");
      expect(accepted.map(({ attempt }) => attempt)).toEqual([2]);
      const lost = journal.find(({ event }) => event === "shard_lost");
      expect(lost?.data.worker).toBe("worker");
      expect(Date.parse(lost?.timestamp ?? "") - readyAtMs).toBeLessThan(10_000);
    }),
  );

  test.concurrent(
    "a worker is killed in the middle of blocks of short commands: what it had begun is lost and runs again, nothing else",
    inDeployment(async (deployment) => {
      const { workspace, worker } = await startServices(deployment);
      const note = 'echo $FANFOLD_SHARD_INDEX.$FANFOLD_ATTEMPT >> "$RAN"; echo $FANFOLD_SHARD_INDEX';
      const over = Array.from({ length: 240 }, (_, n) => ({ n }));
      const shard = { strategy: "chunk", over, chunk_size: 1 };
      const fan = { id: "fan", command: note, shell: true, shard, merge: { strategy: "concat" } };
      const env = { RAN: join(workspace.dir, "ran") };
      await deployment.desk.write("plan.json", { plan_id: "fan", version: "1", globals: { env }, phases: [fan] });
      const watch = deployment.desk.start("submit", "plan.json", "--wait", "--run-id", "x");
      const ran = async (): Promise<string[]> => (await workspace.waitForFile("ran")).trimEnd().split("\n");
      await eventually(async () => (await ran()).length > 30);
      worker.kill("SIGKILL");
      await deployment.startWorker(await deployment.workspace("successor"));
      expect((await watch.ended()).code).toBe(0);
      const journal = await deployment.desk.journal("x");
      const attemptsOf = (event: string): string[] =>
        journal.filter((line) => line.event === event).map(({ shard: index, attempt }) => `${index}.${attempt}`);
      const [started, succeeded] = [attemptsOf("shard_started"), attemptsOf("shard_succeeded")];
      const notAccepted = [...attemptsOf("shard_lost"), ...attemptsOf("shard_given_back")];
      expect(attemptsOf("shard_lost").length).toBeGreaterThan(0);
      expect(new Set(succeeded.map((attempt) => attempt.split(".")[0])).size).toBe(240);
      expect([...succeeded, ...notAccepted].sort()).toEqual(started.sort());
      const began = await ran();
      expect(new Set(began).size).toBe(began.length);
      expect(began.filter((attempt) => !started.includes(attempt))).toEqual([]);
      expect(succeeded.filter((attempt) => !began.includes(attempt))).toEqual([]);
    }),
  );

  test.concurrent(
    "Redis is killed and started again on its data, and its scheduler is killed and replaced",
    inDeployment(async (deployment) => {
      const { scheduler, workspace } = await startServices(deployment);
      const watch = await submitAndWait(deployment.desk, fanPlan(), "fan[3]");
      await deployment.redis.restart();
      scheduler.kill("SIGKILL");
      await workspace.write("go", "");
      await watch.printed(/fan\[5\] attempt 1 succeeded/);
      await deployment.startScheduler();
      const { code, stdout } = await watch.ended();
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {2}shards +7 of 7 succeeded$/m);
      expect(await deployment.desk.read("logs", "x", "--phase", "show")).toContain(FOLDED);
    }),
  );

  test.concurrent(
    "a worker is asked to stop: it finishes what it has begun, and another one takes the rest",
    inDeployment(async (deployment) => {
      const { workspace, worker } = await startServices(deployment);
      const watch = await submitAndWait(deployment.desk, chainPlan(GATED), "a[0]");
      worker.kill("SIGINT");
      await worker.printed(/letting what runs finish/);
      await workspace.write("go", "");
      expect((await worker.ended()).code).toBe(0);
      await deployment.startWorker(await deployment.workspace("successor"));
      const { code, stdout } = await watch.ended();
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {2}attempts +2 \(0 retries, 0 lost\)$/m);
    }),
  );

  test.concurrent(
    "a worker is asked to stop and its time is over: it gives back what runs, and exits with 0",
    inDeployment(async (deployment) => {
      const { workspace, worker, scheduler } = await startServices(deployment, { FANFOLD_DRAIN_SEC: "0.1" });
      const watch = await submitAndWait(deployment.desk, chainPlan(GATED, { kill_grace_sec: 0.2 }), "a[0]");
      const successor = await deployment.workspace("successor");
      await successor.write("go", "");
      await deployment.startWorker(successor);
      worker.kill("SIGTERM");
      expect((await worker.ended()).code).toBe(0);
      expect(await workspace.processes()).toEqual([]);
      const { code, stdout, stderr } = await watch.ended();
      expect(code).toBe(0);
      scheduler.kill("SIGTERM");
      expect((await scheduler.ended()).code).toBe(0);
      expect(stderr).toContain("a[0] attempt 1 was given back by worker worker and runs elsewhere");
      expect(stdout).toMatch(/^ {2}attempts +3 \(0 retries, 0 lost\)$/m);
    }),
  );

  test.concurrent(
    "a worker is asked to stop twice: it kills what runs, and exits with 130",
    inDeployment(async (deployment) => {
      const { workspace, worker } = await startServices(deployment);
      await submitAndWait(deployment.desk, chainPlan(STUBBORN, { kill_grace_sec: 60 }), "a[0]");
      await workspace.waitForFile("stubborn.pid");
      worker.kill("SIGTERM");
      await worker.printed(/a second signal stops at once/);
      worker.kill("SIGTERM");
      expect((await worker.ended()).code).toBe(130);
      await goneWithin(workspace, 5_000);
    }),
  );
});

/** Writes its process id and goes on for ever, whatever SIGTERM says. */
const deafScript = (file: string): string =>
  `#!/bin/sh\ntrap "" TERM\necho $$ > ${file}\nwhile :; do sleep 100; done\n`;

describe("no process outlives its worker:", () => {
  test.concurrent(
    "a worker killed with SIGKILL takes its commands along, what they started, and what left their session",
    inDeployment(async (deployment, { annotate }) => {
      const { workspace, worker } = await startServices(deployment);
      await workspace.write("deaf.sh", deafScript("deaf.pid"));
      await workspace.write("daemon.sh", deafScript("daemon.pid"));
      const command = "sh deaf.sh & (setsid sh daemon.sh > /dev/null 2>&1 &) ; sleep 100";
      await submitAndWait(deployment.desk, chainPlan(command), "a[0]");
      expect(await isAlive(workspace, "deaf.pid")).toBe(true);
      expect(await isAlive(workspace, "daemon.pid")).toBe(true);
      worker.kill("SIGKILL");
      const { durationMs } = await goneWithin(workspace, 5_000);
      await annotate(`the last process was gone ${Math.round(durationMs)} ms after the worker was killed`);
    }),
  );
});

/** Waits until no process runs in a directory. */
async function goneWithin(workspace: Workspace, timeoutMs: number): Promise<{ durationMs: number }> {
  const startedAtMs = performance.now();
  await eventually(async () => (await workspace.processes()).length === 0, { timeoutMs });
  return { durationMs: performance.now() - startedAtMs };
}

describe("Ctrl-C", () => {
  test.concurrent(
    "cancels a run that is carried here: its processes are dead when the command ends with 130",
    inWorkspace(async (workspace) => {
      await workspace.write("plan.json", chainPlan(STUBBORN, { kill_grace_sec: 0.3 }));
      const run = workspace.start("run", "plan.json");
      expect(await isAlive(workspace, "stubborn.pid")).toBe(true);
      run.kill("SIGINT");
      const { code, stdout, stderr } = await run.ended();
      expect(await workspace.processes()).toEqual([]);
      expect(code).toBe(130);
      expect(stderr).toContain("press Ctrl-C again to leave at once");
      expect(stdout).toMatch(/^run run_\S+ {2}cancelled$/m);
      const status = await workspace.status();
      expect(status.status).toBe("cancelled");
      expect(status.phases.map((phase) => phase.status)).toEqual(["cancelled", "cancelled"]);
    }),
  );

  test.concurrent(
    "twice leaves at once and leaves no process of the run; the next command stops the server",
    inWorkspace(async (workspace) => {
      await workspace.write("plan.json", chainPlan(STUBBORN, { kill_grace_sec: 60 }));
      const run = workspace.start("run", "plan.json");
      await workspace.waitForFile("stubborn.pid");
      run.kill("SIGINT");
      await run.printed(/again to leave at once/);
      run.kill("SIGINT");
      expect((await run.ended({ timeoutMs: 5_000 })).code).toBe(130);
      await eventually(async () => {
        const left = await workspace.processes();
        return left.every(({ command }) => command.includes("redis-server"));
      });
      await workspace.read("ls");
      expect(await workspace.processes()).toEqual([]);
    }),
  );
});

describe("cancel", () => {
  test.concurrent(
    "from another process ends a run that is carried here with 130",
    inWorkspace(async (workspace) => {
      await workspace.write("plan.json", chainPlan(STUBBORN, { kill_grace_sec: 0.3 }));
      const run = workspace.start("run", "plan.json");
      expect(await isAlive(workspace, "stubborn.pid")).toBe(true);
      expect(await workspace.read("cancel", "@latest")).toMatch(/^run_\S+ is (being )?cancelled$/m);
      expect((await run.ended()).code).toBe(130);
      expect(await workspace.processes()).toEqual([]);
    }),
  );

  test.concurrent(
    "ends a run that goes on elsewhere after Ctrl-C of watch: what runs there is killed, and its worker goes on",
    inDeployment(async (deployment) => {
      const { workspace } = await startServices(deployment);
      const { desk } = deployment;
      const watch = await submitAndWait(desk, chainPlan(STUBBORN, { kill_grace_sec: 0.3 }), "a[0]");
      watch.kill("SIGINT");
      const { code, stderr } = await watch.ended();
      expect(code).toBe(0);
      expect(stderr).toContain("the run goes on. To cancel it: fanfold cancel x");
      expect(await isAlive(workspace, "stubborn.pid")).toBe(true);
      expect((await desk.status("x")).status).toBe("running");

      await desk.read("cancel", "x");
      expect((await desk.run("watch", "x")).code).toBe(130);
      expect(await isAlive(workspace, "stubborn.pid")).toBe(false);
      const events = (await desk.journal("x")).map(({ event, phase }) => `${event} ${phase}`);
      expect(events.at(-1)).toBe("run_cancelled null");
      expect(events).not.toContain("phase_started next");

      await desk.write("other.json", chainPlan("echo other"));
      expect((await desk.run("submit", "other.json", "--wait")).code).toBe(0);
    }),
  );
});
