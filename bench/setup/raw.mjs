import { FlowProducer, Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";

/** What the bare BullMQ sides of the workloads share: a connection, workers, and waiting for a job's end. */
export async function openRaw(bench, queues, { concurrency = 10, workers = 2, env = {} } = {}) {
  const url = new URL(bench.redis.url);
  const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
  const pairs = Object.entries(queues).map((pair) => pair.join("="));
  const settings = { BENCH_QUEUES: pairs.join(","), BENCH_CONCURRENCY: String(concurrency), ...env };
  await Promise.all(
    Array.from({ length: workers }, () =>
      bench.startNode(["raw/worker.mjs"], { ready: /raw worker ready/, env: settings }),
    ),
  );
  const redis = new Redis(connection);
  const options = { connection: redis, prefix: "raw" };
  const [flows, opened, events] = [new FlowProducer(options), new Map(), new Map()];
  bench.onClose(async () => {
    await Promise.all([flows, ...opened.values(), ...events.values()].map((part) => part.close()));
    redis.disconnect();
  });
  return {
    redis,
    flows,
    queue(name) {
      if (!opened.has(name)) opened.set(name, new Queue(name, options));
      return opened.get(name);
    },
    async eventsOf(name) {
      if (!events.has(name)) events.set(name, new QueueEvents(name, options));
      await events.get(name).waitUntilReady();
      return events.get(name);
    },
  };
}

/** Waits until `count` jobs of a queue are completed, from before they were added. */
export function untilCompleted(events, count) {
  let left = count;
  return new Promise((resolve) => {
    events.on("completed", function onCompleted() {
      left -= 1;
      if (left > 0) return;
      events.off("completed", onCompleted);
      resolve();
    });
  });
}
