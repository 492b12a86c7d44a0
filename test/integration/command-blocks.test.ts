import { readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
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

const indices = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

test(
  "short commands share jobs, and each has its own input, output, log and directory",
  withDeployment(
    async (deployment) => {
      const script =
        'cat "$FANFOLD_INPUT"; echo "$i" >&2; ls "$(dirname "$FANFOLD_INPUT")" | tr "\\n" " " >&2; : > "$FANFOLD_OUTPUT.mine"';
      const runId = await deployment.submit(fanPlan(deployment, 120, script));
      await endedWell(
        deployment,
        runId,
        indices(120).map((n) => `{"n":${n}}`),
      );
      expect(await namesOfJobs(deployment)).toContain("fan[0-2/120]");
      const record = await deployment.store.ledger.findShard(runId, { phase: "fan", revision: 1, shard: 17 });
      expect(record).toMatchObject({ block: "15+3", log: { inline: '{"n":17}\n17\nevents.jsonl input.jsonl log ' } });
      const left = readdirSync(join(deployment.dir, "scratch"), { recursive: true }).map(String);
      expect(left.filter((path) => /block-|input/.test(path))).toEqual([]);
    },
    { workers: 2 },
  ),
);
