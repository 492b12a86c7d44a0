// Benchmarks: measures Fanfold and what people would use instead, interleaved in one run, and prints JSON lines; the
// last line is a summary with medians and ratios. `npm run bench -- W1 W2 --rounds 5`, `--markdown` for a table whose
// rows come as they are measured. `W1:1000` is one variant of a workload, or its size.
// Ratios within one run are what counts: absolute times depend on the machine and on what else it does.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { openBench } from "./setup/bench.mjs";
import { markdownHead, markdownRows } from "./setup/markdown.mjs";
import { summarise } from "./setup/statistics.mjs";
import { chooseWorkloads, workloadNames } from "./workloads/index.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    markdown: { type: "boolean", default: false },
    json: { type: "boolean", default: true },
  },
});
const DEFAULT_ROUNDS = 5;
const wanted = positionals.length === 0 ? workloadNames : positionals;
const chosen = wanted.map((name) => ({ name, workloads: chooseWorkloads(name) }));
const unknown = chosen.filter(({ workloads }) => workloads === undefined).map(({ name }) => name);
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (unknown.length > 0) fail(`no workload ${unknown.join(", ")}; there are ${workloadNames.join(", ")}`);
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) fail(`--rounds ${values.rounds}: not a number`);

let open;
/** Leaves nothing behind: processes end by themselves with this one, Redis does not. */
async function stop() {
  await open?.close();
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop());
process.once("uncaughtException", (error) => {
  process.stderr.write(`${error.stack}\n`);
  void stop();
});

const print = (line) => process.stdout.write(`${line}\n`);
if (values.markdown) print(markdownHead);
const summaries = [];
for (const workload of chosen.flatMap(({ workloads }) => workloads)) {
  open = await openBench();
  try {
    const summary = await measure(workload, open);
    summaries.push(summary);
    if (values.markdown) print(markdownRows(summary));
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${workload.id}: ${error instanceof Error ? error.stack : String(error)}\n`);
  } finally {
    await open.close();
  }
}
if (!values.markdown)
  print(JSON.stringify({ summary: summaries, cores: availableParallelism(), node: process.version }));

/**
 * Runs each side of a workload once to warm up, and then in turn, `rounds` times. A scale run takes long and begins on
 * an empty Redis: it is run once, and warms up by itself.
 */
async function measure(workload, bench) {
  const { isScaleRun = false } = workload;
  const sides = Object.entries(await workload.prepare(bench));
  if (!isScaleRun) for (const [, side] of sides) await side(-1);
  const samples = Object.fromEntries(sides.map(([name]) => [name, []]));
  for (let round = 0; round < (rounds ?? (isScaleRun ? 1 : DEFAULT_ROUNDS)); round += 1) {
    for (const [name, side] of sides) {
      const result = await side(round);
      samples[name].push(result);
      if (!values.markdown) print(JSON.stringify({ workload: workload.id, round, side: name, ...result }));
    }
  }
  return summarise(workload, samples);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
