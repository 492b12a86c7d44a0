import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Merge, PlanInput, RunRecord } from "@fanfold/schemas";
import { AGGREGATE_QUEUE, jobIds } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

type PhaseInput = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** Copies the records of the shard. */
const COPY = { command: "sh", args: ["-c", "cat $FANFOLD_INPUT"] };

/** A plan of `fan`, which cuts a list into shards of one record each, and of `next`, which needs it. */
function fanPlan(over: readonly (string | number | object)[], fan: Partial<PhaseInput>): PlanInput {
  const work = fan.handler === undefined ? COPY : {};
  const items = over.map((item) => (typeof item === "object" ? { ...item } : item));
  return {
    plan_id: "merge",
    version: "1",
    globals: { kill_grace_sec: 0.2 },
    phases: [
      { id: "fan", ...work, shard: { strategy: "chunk", over: items, chunk_size: 1 }, ...fan },
      { id: "next", command: "true", depends_on: ["fan"] },
    ],
  };
}

/** A merge by a script of /bin/sh, which has the output files as `"$@"`. */
function shell(script: string): Merge {
  return { strategy: "command", command: "sh", args: ["-c", script, "merge"] };
}

async function phaseOf({ store }: Deployment, { run_id }: RunRecord, id = "fan") {
  return (await store.runs.loadPhases(run_id)).get(id);
}

async function outputOf(deployment: Deployment, run: RunRecord, id = "fan"): Promise<string | undefined> {
  return (await phaseOf(deployment, run, id))?.artifacts?.[0]?.inline;
}

/** The aggregate's job of `fan`, with its log. */
async function aggregateOf({ store }: Deployment, runId: string) {
  const queue = store.queues.queue(AGGREGATE_QUEUE);
  const id = jobIds.aggregate(runId, "fan", 1);
  const [job, { logs }] = await Promise.all([queue.getJob(id), queue.getJobLogs(id)]);
  return { returned: job?.returnvalue, log: logs.join("\n") };
}

describe("a merge by command", () => {
  test(
    "gets the shard outputs in shard order, as its last arguments and in a file",
    withDeployment(async (deployment) => {
      const script = `
        printf '%s\\n' "$@" | cmp -s - "$FANFOLD_SHARD_OUTPUTS" || exit 9
        { echo "$# $FANFOLD_PHASE $FANFOLD_SHARD_COUNT \${FANFOLD_INPUT:-none} $GREETING"; cat "$@"; } > "$FANFOLD_OUTPUT"
        echo only in the log`;
      const over = Array.from({ length: 12 }, (_, n) => ({ n }));
      const run = await deployment.run(fanPlan(over, { merge: shell(script), env: { GREETING: "hello" } }));
      const copied = over.map((record) => `${JSON.stringify(record)}\n`).join("");
      expect(run.status).toBe("succeeded");
      expect(await outputOf(deployment, run)).toBe(`12 fan 12 none hello\n${copied}`);
      expect((await aggregateOf(deployment, run.run_id)).log).toContain("only in the log");
    }),
  );

  test(
    "may print its output",
    withDeployment(async (deployment) => {
      const run = await deployment.run(fanPlan([1, 2, 3], { merge: shell(`cat "$@" | wc -l | tr -d ' '`) }));
      expect(await outputOf(deployment, run)).toBe("3\n");
    }),
  );

  test(
    "runs on no outputs at all",
    withDeployment(async (deployment) => {
      const run = await deployment.run(fanPlan([], { merge: shell('echo "$#"; cat "$FANFOLD_SHARD_OUTPUTS"') }));
      expect(await outputOf(deployment, run)).toBe("0\n");
    }),
  );
});

describe("a merge by handler", () => {
  test(
    "finds the shard outputs in shard order, and returns the output",
    withDeployment(async (deployment) => {
      const source = `import { readFileSync } from "node:fs";
        export default ({ env, run, log, items, outputs }) => {
          if (outputs.join("\\n") + "\\n" !== readFileSync(env.FANFOLD_SHARD_OUTPUTS, "utf8")) throw new Error("differ");
          log.info("merging " + outputs.length);
          return { joined: outputs.map((path) => JSON.parse(readFileSync(path, "utf8"))), of: run.shard_count, items };
        };`;
      writeFileSync(join(deployment.dir, "join.mjs"), source);
      const run = await deployment.run(fanPlan([7, 5, 6], { merge: { strategy: "handler", handler: "./join.mjs" } }));
      expect(await outputOf(deployment, run)).toBe('{"joined":[7,5,6],"of":3,"items":[]}\n');
      expect((await aggregateOf(deployment, run.run_id)).log).toContain("merging 3");
    }),
  );

  test(
    "fails the phase with what it threw",
    withDeployment(async (deployment) => {
      writeFileSync(join(deployment.dir, "bad.mjs"), "export default () => { throw new RangeError('too much'); };");
      const run = await deployment.run(fanPlan([1], { merge: { strategy: "handler", handler: "./bad.mjs" } }));
      const { cause } = { ...(await phaseOf(deployment, run)) };
      expect(cause).toEqual({ code: "merge_rejected", message: "merge handler: RangeError: too much" });
    }),
  );
});

describe("a custom merge that fails", () => {
  test(
    "persists nothing, fails the phase with exit code and last words, and is retried by hand",
    withDeployment(async (deployment) => {
      const script = `cat "$@" > "$FANFOLD_OUTPUT"; test -e ${join(deployment.dir, "ready")} || { echo boom >&2; exit 3; }`;
      const run = await deployment.run(fanPlan([1, 2], { merge: shell(script) }));
      const phase = await phaseOf(deployment, run);
      expect(run.status).toBe("failed");
      expect(phase).toMatchObject({ status: "failed", revision: 0, cause: { code: "merge_rejected" } });
      expect(phase?.cause?.message).toBe("merge command: exited with code 3: boom");
      expect(phase?.artifacts).toBeUndefined();
      const story = await deployment.story(run.run_id);
      expect(story).toContain("artifact_rejected fan");
      expect(story.match(/shard_started fan/g)).toHaveLength(2);

      writeFileSync(join(deployment.dir, "ready"), "");
      expect(await deployment.engine.retry(run.run_id, {}, "test")).toEqual(["fan (merge)"]);
      const retried = await deployment.ended(run.run_id);
      expect(retried.status).toBe("succeeded");
      expect(await outputOf(deployment, retried)).toBe("1\n2\n");
    }),
  );

  test(
    "is killed at the timeout of the phase",
    withDeployment(async (deployment) => {
      const run = await deployment.run(fanPlan([1], { merge: shell("sleep 60"), timeout_sec: 0.5 }));
      const phase = await phaseOf(deployment, run);
      expect(phase?.cause?.message).toMatch(
        /^merge command: took longer than its timeout of 0\.5 s; ended with SIGTERM/,
      );
    }),
  );

  test(
    "is killed with its run",
    withDeployment(async (deployment) => {
      const pidFile = join(deployment.dir, "pid");
      const runId = await deployment.submit(fanPlan([1], { merge: shell(`echo $$$$ > ${pidFile}; sleep 60; true`) }));
      const pid = await eventually(() => {
        if (!existsSync(pidFile) || readFileSync(pidFile, "utf8") === "") throw new Error("the merge has not started");
        return Number(readFileSync(pidFile, "utf8"));
      });
      await deployment.engine.cancel(runId, "test");
      expect((await deployment.ended(runId)).status).toBe("cancelled");
      expect(() => process.kill(pid, 0)).toThrow("ESRCH");
      expect(await deployment.store.ledger.findFold(runId, { phase: "fan", revision: 1 })).toMatchObject({
        failure: { error_code: "CANCELLED" },
      });
    }),
  );
});

describe("a merge", () => {
  test(
    "of objects joins them in shard order and tells of conflicts in the log of its job",
    withDeployment(async (deployment) => {
      const merge: Merge = { strategy: "object", on_duplicate: "last" };
      const run = await deployment.run(fanPlan([{ b: 1, "1": 2 }, { a: 3 }, { b: [4] }], { merge }));
      expect(await outputOf(deployment, run)).toBe('{"1":2,"b":[4],"a":3}\n');
      expect((await aggregateOf(deployment, run.run_id)).log).toBe("duplicate keys: b (shards 0, 2)");
    }),
  );

  test(
    "of objects with the same key is rejected, and one that is no object fails its shard",
    withDeployment(async (deployment) => {
      const run = await deployment.run(fanPlan([{ a: 1 }, { a: 2 }], { merge: { strategy: "object" } }));
      expect((await phaseOf(deployment, run))?.cause?.message).toBe("duplicate a (shards 0, 1)");
      const other = await deployment.run(fanPlan([{ a: 1 }, 7], { merge: { strategy: "object" } }));
      const failed = (await deployment.journal(other.run_id)).find(({ event }) => event === "shard_failed");
      expect(failed).toMatchObject({ shard: 1, data: { error_code: "INVALID_OUTPUT" } });
      expect(failed?.data?.["why"]).toBe("line 1: the JSON value is not an object: 7");
    }),
  );

  test(
    "by several fields follows the tuples of the source",
    withDeployment(async (deployment) => {
      const over = ["x y", "x z", "w y"].map((pair) => ({ term: pair.charAt(0), translation: pair.charAt(2) }));
      const merge: Merge = { strategy: "records", key: ["term", "translation"], complete: true };
      const run = await deployment.run(fanPlan(over, { merge }));
      expect(await outputOf(deployment, run)).toBe(over.map((record) => `${JSON.stringify(record)}\n`).join(""));
      const loses = { command: "sh", args: ["-c", "cat $FANFOLD_INPUT | sed s/z/y/"] };
      const rejected = await deployment.run(fanPlan(over, { ...loses, merge }));
      expect((await phaseOf(deployment, rejected))?.cause?.message).toBe(
        "duplicate (term=x, translation=y) (shards 0, 1); expected 3, got 2; missing (term=x, translation=z)",
      );
    }),
  );

  test(
    "of a matrix instance refuses records of another one, in the attempt that wrote them",
    withDeployment(async (deployment) => {
      const work = { command: "echo", args: ['{"id":1,"language":"japanese"}'] };
      const fan = { ...work, matrix: { language: ["french", "japanese"] }, merge: { strategy: "records" as const } };
      const plan = fanPlan([1], { ...fan, on_failure: "skip_dependents" });
      const run = await deployment.run({ ...plan, phases: "phases" in plan ? plan.phases.slice(0, 1) : [] });
      const failures = (await deployment.journal(run.run_id)).filter(({ event }) => event === "shard_failed");
      expect(failures).toMatchObject([
        {
          phase: "fan[language=french]",
          data: { error_code: "INVALID_OUTPUT", why: "line 1: language is japanese, expected french" },
        },
      ]);
      expect((await phaseOf(deployment, run, "fan[language=japanese]"))?.status).toBe("succeeded");
    }),
  );

  test(
    "goes on without the failed shards a phase tolerates, and says so",
    withDeployment(async (deployment) => {
      const over = [1, 2, 3, 4].map((id) => ({ id }));
      const work = { command: "sh", args: ["-c", "cat $FANFOLD_INPUT; test $((FANFOLD_SHARD_INDEX % 2)) = 0"] };
      const merge: Merge = { strategy: "records", key: "id", complete: true };
      const run = await deployment.run(fanPlan(over, { ...work, merge, max_failed_shards: 2 }));
      expect(run.status).toBe("succeeded");
      expect(await outputOf(deployment, run)).toBe('{"id":1}\n{"id":3}\n');
      const { returned, log } = await aggregateOf(deployment, run.run_id);
      expect(returned).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), missing_shards: 2 });
      expect(log.split("\n")).toEqual([
        "2 of 4 shards failed and are left out: 1, 3",
        "warning: not complete, for lack of shards: expected 4, got 2; missing 2, 4",
      ]);
      const array = fanPlan([1, 2, 3, 4], { ...work, merge: { strategy: "array" }, max_failed_shards: 2 });
      expect(await outputOf(deployment, await deployment.run(array))).toBe("[\n1,\n3\n]\n");
    }),
  );

  test(
    "that is released early folds nothing and is tried again",
    withDeployment(async (deployment) => {
      const go = join(deployment.dir, "go");
      const work = { command: "sh", args: ["-c", `until test -e ${go}; do sleep 0.05; done; cat $FANFOLD_INPUT`] };
      const runId = await deployment.submit(fanPlan([1, 2], { ...work, merge: { strategy: "concat" } }));
      await eventually(async () => (await deployment.story(runId)).includes("shard_started fan[1]"));
      const data = { run_id: runId, phase: "fan", revision: 1, shard_count: 2 };
      const queue = deployment.store.queues.queue(AGGREGATE_QUEUE);
      const { id = "" } = await queue.add("early", data, { attempts: 2, backoff: 3_600_000 });
      await eventually(async () => (await queue.getJobState(id)) === "delayed");
      expect(await deployment.story(runId)).toContain("phase_repaired fan");
      expect(await deployment.store.ledger.findFold(runId, { phase: "fan", revision: 1 })).toBeUndefined();
      writeFileSync(go, "");
      const run = await deployment.ended(runId);
      expect(await outputOf(deployment, run)).toBe("1\n2\n");
    }),
  );
});
