import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RunEngine } from "@fanfold/engine";
import type { JournalLine, RunRecord } from "@fanfold/schemas";
import { jobIds, shardQueue } from "@fanfold/store";
import { type CliProcess, eventually } from "@fanfold/testkit";
import { type AccountVerdict, judgeAccount } from "./chaos-account.ts";
import { type Action, Chaos, drawActions, type Happening } from "./chaos-actions.ts";
import { BROKEN, chaosPlan, expectedOutputs } from "./chaos-plan.ts";
import type { ChaosSite } from "./chaos-site.ts";
import { judgeJournal, type JournalVerdict, listLeftovers } from "./chaos-verdict.ts";
import { SeededRandom } from "./seeded-random.ts";

/** What came of one seed. */
export interface SeedReport {
  readonly seed: number;
  readonly wallMs: number;
  readonly happened: readonly Happening[];
  readonly account: AccountVerdict;
  readonly journal: JournalVerdict;
  readonly hashes: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly lines: readonly JournalLine[];
}

/** How a seed is run. */
export interface SeedOptions {
  /** What happens, instead of what the seed says. */
  readonly actions?: readonly Action[];
  /** Longest time from the kill of a worker to the take-over of its shards, in ms. */
  readonly maxRecoveryMs: number;
}

/** The seed of the run that nothing happens to. */
export const UNDISTURBED = 0;
/** Longest time a run may take, in ms: a run that hangs must not hang the suite. */
const RUN_MS = 90_000;
const SETTLED_MS = 20_000;

/** Runs the plan of a seed while the seed's actions happen, and judges what came of it. */
export async function runSeed(site: ChaosSite, seed: number, options: SeedOptions): Promise<SeedReport> {
  const startedMs = Date.now();
  const runId = `seed-${seed}-${startedMs}`;
  const accountFile = join(site.dir, `account.${runId}`);
  await writeFile(accountFile, "");
  await writeFile(join(site.dir, `plan.${seed}.json`), JSON.stringify(chaosPlan(seed, accountFile)));
  const random = new SeededRandom(seed);
  const client = site.start(["submit", `plan.${seed}.json`, "--run-id", runId, "--wait"]);
  await eventually(() => site.store.runs.get(runId), { timeoutMs: 20_000 });
  const end = new AbortController();
  const chaos = new Chaos(site, client, end.signal);
  const acting = chaos.run(options.actions ?? (seed === UNDISTURBED ? [] : drawActions(seed, random)));
  const problems: string[] = [];
  try {
    if (seed !== UNDISTURBED) await mend(site, runId, seed, random.pick(["at once", "at the end"]));
    await succeeded(site, runId);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  end.abort();
  await acting;
  await chaos.over();
  await left(client);
  return judge(site, { runId, seed, startedMs, accountFile, problems, happened: chaos.happened, options });
}

/** Waits for the failure of the broken shard, mends it, and retries it by hand. */
async function mend(site: ChaosSite, runId: string, seed: number, when: "at once" | "at the end"): Promise<void> {
  const ref = { phase: BROKEN.phase, revision: 1, shard: BROKEN.shard };
  await eventually(
    async () => {
      if (when === "at the end") return isEnded(await site.store.runs.get(runId));
      return (await site.store.ledger.findShard(runId, ref))?.status === "failed";
    },
    { timeoutMs: RUN_MS, everyMs: 50 },
  );
  await writeFile(join(site.dir, `mended.${seed}`), "");
  if (seed % 2 === 0) {
    await new RunEngine(site.store).retry(runId, {}, "chaos");
    return;
  }
  const job = await site.store.queues.queue(shardQueue("default")).getJob(jobIds.shard(runId, ref));
  await eventually(async () => (await job?.isFailed()) === true, { timeoutMs: 30_000, everyMs: 50 });
  await job?.retry("failed");
}

async function succeeded(site: ChaosSite, runId: string): Promise<void> {
  await eventually(
    async () => {
      const { status } = await site.store.runs.get(runId);
      if (status !== "succeeded") throw new Error(`the run is ${status}`);
    },
    { timeoutMs: RUN_MS, everyMs: 50 },
  );
}

function isEnded({ finished_at_ms }: RunRecord): boolean {
  return finished_at_ms !== null;
}

async function left(client: CliProcess): Promise<void> {
  await client.ended({ timeoutMs: 5_000 }).catch(() => client.kill("SIGKILL"));
}

interface Judged {
  readonly runId: string;
  readonly seed: number;
  readonly startedMs: number;
  readonly accountFile: string;
  readonly problems: string[];
  readonly happened: readonly Happening[];
  readonly options: SeedOptions;
}

async function judge(site: ChaosSite, judged: Judged): Promise<SeedReport> {
  const { runId, seed, problems, happened, options } = judged;
  const wallMs = Date.now() - judged.startedMs;
  await eventually(async () => (await listLeftovers(site.store, runId)).length === 0, {
    timeoutMs: SETTLED_MS,
    everyMs: 100,
  }).catch(async () => problems.push(...(await listLeftovers(site.store, runId))));
  const lines: JournalLine[] = [];
  for await (const line of site.store.journal.readAll(runId)) lines.push(line);
  const journal = judgeJournal(lines, happened);
  const account = judgeAccount(existsSync(judged.accountFile) ? await readFile(judged.accountFile, "utf8") : "");
  const hashes = await hashOutputs(site, runId);
  for (const [phase, text] of Object.entries(expectedOutputs())) {
    if (hashes[phase] !== sha256(text)) problems.push(`${phase} has not the output it has in an undisturbed run`);
  }
  if (journal.worstRecoveryMs > options.maxRecoveryMs) problems.push(`a take-over took ${journal.worstRecoveryMs} ms`);
  problems.push(...journal.problems, ...account.problems);
  return { seed, wallMs, happened, account, journal, hashes, problems, lines };
}

async function hashOutputs(site: ChaosSite, runId: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const [phase, { artifacts }] of await site.store.runs.loadPhases(runId)) {
    hashes[phase] = artifacts?.[0]?.sha256 ?? "";
  }
  return hashes;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
