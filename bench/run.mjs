// Benchmarks: measures Fanfold and what people would use instead, interleaved in one run, and prints JSON lines; the
// last line is a summary with medians and ratios. `npm run bench -- W1 W2 --rounds 5`, `--markdown` for a table.
// Ratios within one run are what counts: absolute times depend on the machine and on what else it does.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { openBench } from "./setup/bench.mjs";
import { summarise, toMarkdown } from "./setup/statistics.mjs";
import { workloads } from "./workloads/index.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    markdown: { type: "boolean", default: false },
    json: { type: "boolean", default: true },
  },
});
const wanted = positionals.length === 0 ? Object.keys(workloads) : positionals;
const unknown = wanted.filter((id) => !(id in workloads));
if (unknown.length > 0) {
  process.stderr.write(`no workload ${unknown.join(", ")}; there are ${Object.keys(workloads).join(", ")}\n`);
  process.exit(2);
}

const rounds = Number(values.rounds);
const print = (line) => process.stdout.write(`${line}\n`);
const printJson = (value) => values.markdown || print(JSON.stringify(value));
const summaries = [];
for (const id of wanted) {
  for (const workload of workloads[id]) {
    const bench = await openBench();
    try {
      summaries.push(await measure(workload, bench));
    } finally {
      await bench.close();
    }
  }
}
if (values.markdown) print(toMarkdown(summaries));
else print(JSON.stringify({ summary: summaries, rounds, cores: availableParallelism(), node: process.version }));

/** Runs each side of a workload once to warm up, and then in turn, `rounds` times. */
async function measure(workload, bench) {
  const sides = Object.entries(await workload.prepare(bench));
  for (const [, side] of sides) await side(-1);
  const samples = Object.fromEntries(sides.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, side] of sides) {
      const result = await side(round);
      samples[name].push(result);
      printJson({ workload: workload.id, round, side: name, ...result });
    }
  }
  return summarise(workload, samples);
}
