import { parseArgs } from "node:util";
import type { ActionKind } from "./chaos-actions.ts";
import { ChaosSite } from "./chaos-site.ts";
import { runSeed, type SeedReport, UNDISTURBED } from "./run-seed.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    from: { type: "string", default: "1" },
    "max-recovery-sec": { type: "string", default: "10" },
    "max-sec": { type: "string" },
  },
});

const KINDS: readonly ActionKind[] = [
  "kill worker",
  "kill scheduler",
  "kill client",
  "freeze worker",
  "restart redis",
  "cut",
  "power cut",
];

/** Seeds tried at once, each with processes and a Redis of its own: much of a seed is waiting for locks to end. */
const LANES = 2;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function before({ journal, lines }: SeedReport): string {
  return lines.find(({ seq }) => seq === journal.silence.seq)?.message ?? "nothing";
}

function describe(report: SeedReport): string {
  const { seed, wallMs, happened, journal, account } = report;
  const counts = KINDS.map((kind) => ({ kind, times: happened.filter((h) => h.kind === kind).length }));
  const told = counts.filter(({ times }) => times > 0).map(({ kind, times }) => `${times} ${kind}`);
  return [
    `seed ${seed}: ${(wallMs / 1000).toFixed(1)} s`,
    told.join(", "),
    `${journal.lost} attempts lost, ${journal.retries} retried`,
    `longest standstill ${(journal.silence.ms / 1000).toFixed(1)} s before ${before(report)}`,
    `worst take-over ${(journal.worstRecoveryMs / 1000).toFixed(1)} s`,
    `${account.executions} executions, ${account.overlaps} overlaps, at most ${account.mostInRun} at once`,
  ].join(" · ");
}

function printFailure(report: SeedReport): void {
  print(`FAILED seed ${report.seed}; again: npm run chaos -- --seeds 1 --from ${report.seed}`);
  for (const problem of report.problems.slice(0, 20)) print(`  ${problem}`);
  for (const { kind, atMs, worker } of report.happened) {
    print(`  ${new Date(atMs).toISOString()} ${kind} ${worker ?? ""}`);
  }
  print("  journal:");
  for (const { seq, timestamp, message } of report.lines) print(`  ${seq} ${timestamp} ${message}`);
}

async function main(): Promise<number> {
  const [seeds, from] = [Number(values.seeds), Number(values.from)];
  const maxRecoveryMs = Number(values["max-recovery-sec"]) * 1000;
  const deadlineMs = Date.now() + (values["max-sec"] === undefined ? Infinity : Number(values["max-sec"]) * 1000);
  let next = from;
  const takeSeed = (): number | undefined => {
    if (next >= from + seeds || Date.now() >= deadlineMs) return undefined;
    next += 1;
    return next - 1;
  };
  const sites = await Promise.all(Array.from({ length: LANES }, () => ChaosSite.start()));
  const stop = (): Promise<unknown> => Promise.all(sites.map((site) => site.stop()));
  const reports: SeedReport[] = [];
  const tryOut = async (site: ChaosSite, seed: number): Promise<void> => {
    const report = await runSeed(site, seed, { maxRecoveryMs });
    reports.push(report);
    print(describe(report));
    if (report.problems.length > 0) printFailure(report);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  }
  try {
    const [first] = sites;
    if (first !== undefined) await tryOut(first, UNDISTURBED);
    const lane = async (site: ChaosSite): Promise<void> => {
      for (let seed = takeSeed(); seed !== undefined; seed = takeSeed()) await tryOut(site, seed);
    };
    await Promise.all(sites.map(lane));
  } finally {
    await stop();
  }
  printTotals(reports);
  return reports.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

function printTotals(reports: readonly SeedReport[]): void {
  const sum = (of: (report: SeedReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  const failed = reports.filter(({ problems }) => problems.length > 0).map(({ seed }) => seed);
  const happened = KINDS.map((kind) => `${sum((r) => r.happened.filter((h) => h.kind === kind).length)} ${kind}`);
  const worstMs = Math.max(0, ...reports.map(({ journal }) => journal.worstRecoveryMs));
  print(`${reports.length} seeds, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(", ")}` : ""}`);
  print(`  ${happened.join(", ")}`);
  print(`  ${sum((r) => r.journal.lost)} attempts lost and run again, ${sum((r) => r.account.overlaps)} overlaps`);
  print(`  worst take-over ${(worstMs / 1000).toFixed(1)} s, ${sum((r) => r.account.executions)} executions`);
}

process.exitCode = await main();
