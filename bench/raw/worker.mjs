// A bare BullMQ worker process: what a team would write by hand. BENCH_QUEUES lists `queue=processor` pairs.
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { processors, scripts } from "./processors.mjs";

const url = new URL(process.env.REDIS_URL);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
const redis = new Redis({ ...connection, scripts });
const workers = process.env.BENCH_QUEUES.split(",").map((pair) => {
  const [queue, name] = pair.split("=");
  const concurrency = Number(process.env.BENCH_CONCURRENCY ?? "10");
  return new Worker(queue, (job) => processors[name](job, redis), { connection, concurrency, prefix: "raw" });
});
for (const worker of workers) {
  worker.on("failed", (job, error) => {
    process.stderr.write(`${job?.id}: ${error.stack}\n`);
    process.exit(1);
  });
}
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
process.stdout.write("raw worker ready\n");
