import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Deployment, eventually } from "@fanfold/testkit";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const VALUE = 'ab"c/d+e-hunter2';
const TRACES = [
  VALUE,
  JSON.stringify(VALUE).slice(1, -1),
  JSON.stringify(JSON.stringify(VALUE)).slice(3, -3),
  encodeURIComponent(VALUE),
  Buffer.from(VALUE).toString("base64"),
  "hunter2",
];

beforeEach(() => {
  vi.stubEnv("FANFOLD_SECRET_API_KEY", VALUE);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Everything in every key of Redis, as text by key. */
async function readKeys({ store: { redis } }: Deployment): Promise<Map<string, string>> {
  const read: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => redis.get(key),
    hash: (key) => redis.hgetall(key),
    list: (key) => redis.lrange(key, 0, -1),
    set: (key) => redis.smembers(key),
    zset: (key) => redis.zrange(key, "0", "-1"),
    stream: (key) => redis.xrange(key, "-", "+"),
  };
  const contents = new Map<string, string>();
  for (const key of await redis.keys("*")) {
    const type = await redis.type(key);
    if (type === "none") continue;
    const values = read[type];
    if (values === undefined) throw new Error(`a key of type ${type}: ${key}`);
    contents.set(key, flatten(await values(key)).join("\n"));
  }
  return contents;
}

/** The texts in a reply of Redis as they are. */
function flatten(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  return Object.entries(value).flatMap(([key, item]) => [key, ...flatten(item)]);
}

/** The content of every file below a directory, byte by byte as characters. */
async function readFiles(dir: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name !== "events.jsonl")
      contents.set(file, (await readFile(file).catch(() => Buffer.alloc(0))).toString("utf8"));
  }
  return contents;
}

/**
 * Where the secret is found: in Redis as it is, in what Redis ever was told, and in the files of the deployment. The
 * events of a running attempt are the file of its command, and go with it.
 */
async function findLeaks(deployment: Deployment): Promise<string[]> {
  const [, redisDir = ""] = await deployment.store.redis.config("GET", "dir");
  const places = [await readKeys(deployment), await readFiles(redisDir), await readFiles(deployment.dir)];
  for (const place of places) expect(place.size).toBeGreaterThan(0);
  // the search itself works: the plan's own words are in Redis, and in its log
  for (const place of places.slice(0, 2)) expect([...place.values()].join()).toContain("${secret:API_KEY}");
  return places.flatMap((place) =>
    [...place].filter(([, text]) => TRACES.some((trace) => text.includes(trace))).map(([key]) => key),
  );
}

/** The job of a shard, as queue tools show it. */
async function jobLog(deployment: Deployment, runId: string, phase: string): Promise<string> {
  const contents = await readKeys(deployment);
  const logs = [...contents].filter(([key]) => key.includes(`${runId}.${phase}.r1.0:logs`));
  return logs.map(([, text]) => text).join("\n");
}

describe("a secret", () => {
  test(
    "reaches the command, and leaves no trace in Redis, in files or in the journal while it runs and afterwards",
    withDeployment(async (deployment) => {
      const script = `
        test "$KEY" = "$1" || exit 9
        echo "out $KEY"; echo "err $1" >&2; printf %s "$KEY" | base64
        printf '{"type":"log","message":"with %s"}\\n' "$(printf %s "$1" | sed 's/"/\\\\"/')" >> $FANFOLD_EVENTS
        test "$FANFOLD_ATTEMPT" = 1 && exit 3
        for i in $(seq 500); do test -e "${deployment.dir}/go" && break; sleep 0.02; done
        seq 1 2000; echo "last $KEY"`;
      const runId = await deployment.submit({
        plan_id: "secret",
        version: "1",
        globals: { env: { KEY: "${secret:API_KEY}" } },
        phases: [
          {
            id: "use",
            command: "sh",
            args: ["-c", script, "sh", "${secret:API_KEY}"],
            retries: 1,
            retry_delay_sec: 0.01,
          },
        ],
      });
      const ref = { phase: "use", revision: 1, shard: 0 };
      const live = await eventually(async () => {
        const text = await deployment.store.logs.read(runId, ref, 2);
        return ["out ***", "err ***", "with ***"].every((line) => text.includes(line)) && text;
      });
      expect(live).toMatch(/^\*\*\*=*$/m);
      expect(await findLeaks(deployment)).toEqual([]);
      await writeFile(join(deployment.dir, "go"), "");
      expect((await deployment.ended(runId)).status).toBe("succeeded");

      expect(await findLeaks(deployment)).toEqual([]);
      const phases = await deployment.store.runs.loadPhases(runId);
      expect(phases.get("use")?.artifacts?.[0]?.inline).toMatch(/^out \*\*\*\n[\s\S]*\nlast \*\*\*\n$/);
      const retry = (await deployment.journal(runId)).find(({ event }) => event === "shard_retry");
      expect(retry?.data).toMatchObject({ error_code: "EXIT_NONZERO", why: expect.stringContaining("err ***") });
      expect(await jobLog(deployment, runId, "use")).toContain("out ***");
    }),
  );

  test(
    "fails a phase that writes it into its output, and a handler that throws it tells nothing",
    withDeployment(async (deployment) => {
      await writeFile(
        join(deployment.dir, "leak.mjs"),
        "export default ({ env, log }) => { log.info(env.KEY); throw new Error('cannot log in with ' + env.KEY); };",
      );
      const leaks = { env: { KEY: "${secret:API_KEY}" }, critical: false, on_failure: "continue" } as const;
      const run = await deployment.run({
        plan_id: "leaks",
        version: "1",
        phases: [
          { id: "output", command: "sh", args: ["-c", 'echo "$KEY" > $FANFOLD_OUTPUT'], ...leaks },
          { id: "handler", handler: "leak.mjs", ...leaks },
          { id: "missing", command: "true", ...leaks, env: { KEY: "${secret:NOWHERE}" } },
        ],
      });
      expect(run).toMatchObject({ status: "succeeded", tolerated_failures: 3 });
      const failures = (await deployment.journal(run.run_id)).filter(({ event }) => event === "shard_failed");
      expect(Object.fromEntries(failures.map(({ phase, data }) => [phase, data.why]))).toEqual({
        output: 'artifact "output" contains the value of secret API_KEY',
        handler: "cannot log in with ***",
        missing: expect.stringContaining("FANFOLD_SECRET_NOWHERE"),
      });
      expect(await findLeaks(deployment)).toEqual([]);
    }),
  );
});
