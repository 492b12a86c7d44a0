// Bare Node that starts commands: for each line it reads it runs BENCH_COUNT times /bin/true, BENCH_SLOTS at once, and
// sends the wall time. A process of its own, so that it can be as large as a worker.
import { spawn } from "node:child_process";
import { once } from "node:events";

const [count, slots] = [process.env.BENCH_COUNT, process.env.BENCH_SLOTS].map(Number);

async function spawnAll() {
  const startedAt = performance.now();
  let left = count;
  const slot = async () => {
    while (left > 0) {
      left -= 1;
      const [code] = await once(spawn("/bin/true", { stdio: "ignore" }), "close");
      if (code !== 0) throw new Error(`exit ${code}`);
    }
  };
  await Promise.all(Array.from({ length: slots }, slot));
  process.send({ ms: performance.now() - startedAt });
}

process.on("message", ({ go }) => {
  if (go === true) void spawnAll();
});
// nothing else keeps it
process.channel?.ref();
process.stdout.write("spawner ready\n");
