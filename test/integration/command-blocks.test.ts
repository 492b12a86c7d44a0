import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput, RunRecord } from "@fanfold/schemas";
import { shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

type Phase = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** Shards of a shell script, which is given `$i`, the index of its shard, and `$DIR`. */
function fanPlan({ dir }: Deployment, count: number, script: string, phase: Partial<Phase> = {}): PlanInput {
  return {
    plan_id: "fan",
    version: "1",
    globals: { env: { DIR: dir }, kill_grace_sec: 1 },
    phases: [
      {
        id: "fan",
        command: "sh",
        args: ["-c", `i=$FANFOLD_SHARD_INDEX; ${script}`],
        shard: { strategy: "chunk", over: Array.from({ length: count }, (_, n) => ({ n })), chunk_size: 1 },
        merge: { strategy: "concat" },
        on_failure: "skip_dependents",
        ...phase,
      },
    ],
  };
}

async function ended({ store }: Deployment, runId: string): Promise<RunRecord> {
  await eventually(async () => (await store.runs.get(runId)).finished_at_ms !== null, { timeoutMs: 30_000 });
  return store.runs.get(runId);
}

async function events(deployment: Deployment, runId: string, event: string): Promise<(number | null)[]> {
  return (await deployment.journal(runId)).filter((line) => line.event === event).map(({ shard }) => shard);
}

/** Every shard is accepted once, with its output, and nothing is left over. */
async function endedWell(deployment: Deployment, runId: string, outputs: readonly string[]): Promise<void> {
  expect((await ended(deployment, runId)).status).toBe("succeeded");
  const accepted = await events(deployment, runId, "shard_succeeded");
  expect(accepted.map(Number).sort((a, b) => a - b)).toEqual(outputs.map((_, i) => i));
  const [artifact] = (await deployment.store.runs.loadPhases(runId)).get("fan")?.artifacts ?? [];
  expect(artifact?.inline).toBe(outputs.map((text) => `${text}\n`).join(""));
  const counts = await deployment.store.ledger.findPhase(runId, "fan");
  expect(counts).toMatchObject({ in_flight: 0, held: 0, unacked: 0, succeeded: outputs.length });
}

async function namesOfJobs({ store }: Deployment): Promise<string[]> {
  const jobs = await store.queues.queue(shardQueue("default")).getJobs(["completed", "failed"], 0, 5_000);
  return jobs.map((job) => job.name);
}

const records = (count: number): string[] => indices(count).map((n) => `{"n":${n}}`);
const indices = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

test(
  "short commands share jobs, and each has its own input, output, log and directory",
  withDeployment(
    async (deployment) => {
      const look = 'ls "$(dirname "$FANFOLD_INPUT")" | tr "\\n" " " >&2';
      const runId = await deployment.submit(
        fanPlan(deployment, 120, `cat "$FANFOLD_INPUT"; echo "$i" >&2; ${look}; : > "$FANFOLD_OUTPUT.mine"`),
      );
      await endedWell(deployment, runId, records(120));
      expect(await namesOfJobs(deployment)).toContain("fan[0-2/120]");
      const record = await deployment.store.ledger.findShard(runId, { phase: "fan", revision: 1, shard: 17 });
      const log = { inline: '{"n":17}\n17\nevents.jsonl input.jsonl ' };
      expect(record).toMatchObject({ attempt: 1, block: "15+3", log });
    },
    { workers: 2 },
  ),
);

test(
  "a command that fails in a block keeps its exit code, and is tried again by its phase's rule",
  withDeployment(async (deployment) => {
    const script = '[ "$i$FANFOLD_ATTEMPT" != 551 ] || { echo bad >&2; exit 7; }; cat "$FANFOLD_INPUT"';
    const phase = { retries: 2, retry_delay_sec: 0.05 };
    const runId = await deployment.submit(fanPlan(deployment, 120, script, phase));
    await endedWell(deployment, runId, records(120));
    const retries = (await deployment.journal(runId)).filter(({ event }) => event === "shard_retry");
    expect(retries.map(({ shard, data }) => [shard, data["exit_code"]])).toEqual([[55, 7]]);
  }),
);

test(
  "commands behind one that takes long leave their block, and run meanwhile",
  withDeployment(async (deployment) => {
    const script = 'case $i in 0|60) while [ ! -e "$DIR/go" ]; do sleep 0.01; done;; esac; cat "$FANFOLD_INPUT"';
    const runId = await deployment.submit(fanPlan(deployment, 120, script));
    await eventually(async () => (await deployment.store.ledger.findPhase(runId, "fan"))?.succeeded === 118, {
      timeoutMs: 20_000,
    });
    await writeFile(join(deployment.dir, "go"), "");
    await endedWell(deployment, runId, records(120));
    expect(await events(deployment, runId, "shard_lost")).toEqual([]);
  }),
);

test(
  "a command of a block whose shell of the spawner is killed counts as lost, and only that one runs again",
  withDeployment(async (deployment) => {
    const script = '[ "$i$FANFOLD_ATTEMPT" != 551 ] || { kill -9 $PPID; sleep 60; }; echo $i >> "$DIR/ran"; echo $i';
    const runId = await deployment.submit(fanPlan(deployment, 120, script));
    await endedWell(deployment, runId, indices(120));
    expect(await events(deployment, runId, "shard_lost")).toEqual([55]);
    const ran = (await readFile(join(deployment.dir, "ran"), "utf8")).trimEnd().split("\n");
    expect(ran.sort((a, b) => Number(a) - Number(b))).toEqual(indices(120));
  }),
);

test(
  "a command of a block has its timeout, and its processes end with it",
  withDeployment(async (deployment) => {
    const script = '[ $i != 55 ] || { echo $$$$ > "$DIR/pid"; sleep 60; }; echo $i';
    const phase = { timeout_sec: 1, max_failed_shards: 1 };
    const runId = await deployment.submit(fanPlan(deployment, 120, script, phase));
    expect((await ended(deployment, runId)).status).toBe("succeeded");
    expect(await events(deployment, runId, "shard_timeout")).toEqual([55]);
    const pid = Number(await readFile(join(deployment.dir, "pid"), "utf8"));
    expect(pid).toBeGreaterThan(1);
    await eventually(() => !existsSync(`/proc/${pid}`));
  }),
);

test(
  "a cancelled run ends in the middle of its blocks of commands, and with it their processes",
  withDeployment(async (deployment) => {
    const script = '[ $i != 3 ] || { echo $$$$ > "$DIR/pid"; sleep 60; }; echo $i';
    const runId = await deployment.submit(fanPlan(deployment, 400, script));
    const pid = Number(await eventually(async () => (await readFile(join(deployment.dir, "pid"), "utf8")).trim()));
    await deployment.engine.cancel(runId, "test");
    expect((await ended(deployment, runId)).status).toBe("cancelled");
    await eventually(() => !existsSync(`/proc/${pid}`));
    const counts = await deployment.store.ledger.findPhase(runId, "fan");
    expect(counts).toMatchObject({ in_flight: 0, held: 0 });
    expect(await events(deployment, runId, "shard_lost")).toEqual([]);
  }),
);
