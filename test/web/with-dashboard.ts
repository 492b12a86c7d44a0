import { type DashboardLog, DashboardService } from "@fanfold/dashboard";
import type { PlanInput } from "@fanfold/schemas";
import { Deployment, startRedis, type TestRedis } from "@fanfold/testkit";
import { afterAll, beforeAll } from "vitest";

/** A log that nobody reads. */
export const SILENT_LOG: DashboardLog = { info: () => undefined, debug: () => undefined };

/** A deployment, its dashboard, and the Redis below them. */
export interface Watched {
  readonly redis: TestRedis;
  readonly deployment: Deployment;
  readonly dashboard: DashboardService;
}

/** Gives the tests of a file one Redis, and each of them a deployment and a dashboard of its own. */
export function useDashboards(): (body: (watched: Watched) => Promise<void>) => () => Promise<void> {
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());
  return (body) => async () => {
    if (redis === undefined) throw new Error("redis is not up");
    const deployment = await Deployment.start(redis);
    const dashboard = new DashboardService(deployment.engine, { port: 0 }, SILENT_LOG);
    try {
      await dashboard.start();
      await body({ redis, deployment, dashboard });
    } finally {
      await dashboard.stop();
      await deployment.stop();
    }
  };
}

/** Eleven shards, all of which print a line; shard 3 fails until the file rules.txt is there. */
export const COMPILE_PLAN: PlanInput = {
  plan_id: "zones",
  version: "1",
  phases: [
    {
      id: "compile",
      command: 'echo "compiling $FANFOLD_SHARD_INDEX"; test $FANFOLD_SHARD_INDEX != 3 || cat rules.txt || exit 1',
      shell: true,
      shard: { strategy: "chunk", over: Array.from({ length: 11 }, (_, n) => ({ n })), chunk_size: 1 },
      merge: { strategy: "concat" },
    },
    { id: "publish", command: "true", depends_on: ["compile"] },
  ],
};

/** context → translate (a shard a record) → publish; the first one reads a file. */
export const NOVEL_PLAN = {
  plan_id: "novel",
  version: "1",
  variables: { TITLE: { default: "Tea", description: "Title of the book" } },
  phases: [
    { id: "context", command: "cat context.txt", shell: true },
    {
      id: "translate",
      depends_on: ["context"],
      shard: { strategy: "chunk", over: "context", chunk_size: 1 },
      merge: { strategy: "records", key: ["id"] },
      command: "cat $FANFOLD_INPUT",
      shell: true,
    },
    {
      id: "publish",
      depends_on: ["translate"],
      consumes: ["translate"],
      command: "echo ${TITLE}; cat $FANFOLD_ARTIFACTS/translate",
      shell: true,
    },
  ],
} satisfies PlanInput;
