import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { shardId } from "@fanfold/store";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();
const SHARDS = 200;
const FAN = { phase: "fan", revision: 1 };

test(
  "a shard that just succeeded takes few bytes, and whoever reads it sees all of it",
  withDeployment(async (deployment) => {
    const { store, dir } = deployment;
    await writeFile(join(dir, "index.mjs"), "export default ({ run }) => run.shard_index;\n");
    const { run_id: runId, status } = await deployment.run({
      plan_id: "fan",
      version: "1",
      phases: [
        {
          id: "fan",
          handler: "index.mjs",
          shard: { strategy: "chunk", over: Array.from({ length: SHARDS }, (_, n) => ({ n })), chunk_size: 1 },
          merge: { strategy: "concat" },
        },
      ],
    });
    expect(status).toBe("succeeded");
    const { shards, journal } = store.keys.run(runId);
    expect(await store.redis.hstrlen(shards, shardId({ ...FAN, shard: 150 }))).toBeLessThan(110);
    expect(Number(await store.redis.memory("USAGE", journal, "SAMPLES", 0)) / SHARDS).toBeLessThan(180);

    const [record] = await store.ledger.findShards(runId, FAN, [150]);
    expect(record).toMatchObject({ status: "succeeded", attempt: 1, result: { output: { inline: "150\n" } } });
    const lines = (await deployment.journal(runId)).filter(({ shard }) => shard === 150);
    expect(lines.map(({ event, data }) => [event, data])).toEqual([
      ["shard_started", { worker: record?.worker, revision: 1 }],
      ["shard_succeeded", { duration_ms: expect.any(Number), output_bytes: 4, revision: 1 }],
    ]);
  }),
);
