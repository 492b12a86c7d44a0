import type { PlanInput } from "@fanfold/schemas";

/** Caps of the plan, which the account of the shards is judged by. */
export const RUN_CAP = 8;
export const PHASE_CAPS: Readonly<Record<string, number>> = { load: 4, refine: 3, pack: 5 };
/** The shard that fails for good until the file `mended.<seed>` is there. */
export const BROKEN = { phase: "check", shard: 7 } as const;

/** A row of phases without a fold, every other one with another beside it: jobs carry them, workers move the run on. */
const HOPS = 12;
const hops = Array.from({ length: HOPS }, (_, i) => ({
  id: `hop-${i}`,
  after: i === 0 ? ["probe"] : i % 2 === 0 ? [`hop-${i - 1}`, `side-${i - 1}`] : [`hop-${i - 1}`],
}));
const sides = hops.filter((_, i) => i % 2 === 1).map(({ after }, i) => ({ id: `side-${2 * i + 1}`, after }));

/** Shards of each phase: 560 in all. */
export const SHARD_COUNTS: Readonly<Record<string, number>> = {
  load: 60,
  probe: 60,
  refine: 60,
  check: 40,
  pack: 50,
  tally: 31,
  sift: 240,
  report: 1,
  ...Object.fromEntries([...hops, ...sides].map(({ id }) => [id, 1])),
};

function records(count: number): { n: number }[] {
  return Array.from({ length: count }, (_, n) => ({ n }));
}

function shard(over: string | { n: number }[]): { strategy: "chunk"; over: typeof over; chunk_size: number } {
  return { strategy: "chunk", over, chunk_size: 1 };
}

/**
 * A plan of seven sharded phases, a row of small ones and a last one, with caps, retries and one shard that is broken. Its outputs are the
 * same for every seed; which shards fail now and then, and how long they take, follows from the seed.
 */
export function chaosPlan(seed: number, account: string): PlanInput {
  const handler = "./chaos-work.mjs";
  const retry = { retries: 3, retry_delay_sec: 0.05 } as const;
  const merge = { strategy: "records", key: "n", complete: true } as const;
  const script =
    'me="refine $FANFOLD_SHARD_INDEX $FANFOLD_ATTEMPT $$$$"; echo "+ $me" >> $ACCOUNT; ' +
    'sleep 0.0$((FANFOLD_SHARD_INDEX % 7 + 2)); echo "- $me" >> $ACCOUNT; cat $FANFOLD_INPUT';
  return {
    plan_id: "chaos",
    version: "1",
    globals: { max_concurrency: RUN_CAP, env: { SEED: String(seed), ACCOUNT: account } },
    phases: [
      { id: "load", handler, shard: shard(records(60)), merge, max_parallel: 4, ...retry },
      { id: "probe", handler, shard: shard(records(60)), merge, ...retry },
      {
        id: "refine",
        command: script,
        shell: true,
        depends_on: ["load"],
        shard: shard("load"),
        merge,
        max_parallel: 3,
        ...retry,
      },
      {
        id: "check",
        handler,
        depends_on: ["load", "probe"],
        shard: shard(records(40)),
        merge,
        retries: 1,
        retry_delay_sec: 0.05,
        on_failure: "skip_dependents",
      },
      { id: "pack", handler, depends_on: ["refine"], shard: shard(records(50)), merge, max_parallel: 5, ...retry },
      {
        id: "tally",
        handler,
        depends_on: ["probe"],
        shard: shard(records(31)),
        merge: { strategy: "array" },
        ...retry,
      },
      // small shards, which go in blocks
      { id: "sift", handler, depends_on: ["probe"], shard: shard(records(240)), merge, ...retry },
      ...[...hops, ...sides].map(({ id, after }) => ({ id, handler, depends_on: after, ...retry })),
      {
        id: "report",
        handler,
        depends_on: ["check", "pack", "tally", "sift", `hop-${HOPS - 1}`, `side-${HOPS - 1}`],
        consumes: ["check", "pack"],
        ...retry,
      },
    ],
  };
}

/** The work of the handlers: keeps its account, takes its time, fails as the seed says. */
export const CHAOS_WORK = `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

function draw(text) {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

export default async function work({ run, items, env, signal }) {
  const { phase, shard_index: shard, attempt } = run;
  const say = (sign) => appendFileSync(env.ACCOUNT, [sign, phase, shard, attempt, process.pid].join(" ") + "\\n");
  const lot = draw(env.SEED + phase + shard);
  say("+");
  // most small shards take no time, some so long that those behind them leave their block
  const tookMs = phase !== "sift" ? 20 + Math.floor(lot * 100) : lot > 0.9 ? 150 : 0;
  if (tookMs > 0) await sleep(tookMs, undefined, { signal }).catch(() => undefined);
  const isBroken = phase === "${BROKEN.phase}" && shard === ${BROKEN.shard} && !existsSync("mended." + env.SEED);
  const failures = env.SEED === "0" ? 0 : lot < 0.06 ? 1 : lot > 0.97 ? 2 : 0;
  say("-");
  signal.throwIfAborted();
  if (isBroken && env.SEED !== "0") throw new Error("broken until mended");
  if (phase !== "${BROKEN.phase}" && attempt <= failures) throw new Error("fails now and then");
  return items.length === 0 ? phase : items.map((item) => ({ ...item, by: phase }));
}
`;

/** What each phase hands over, whatever happens and whatever the seed is. */
export function expectedOutputs(): Record<string, string> {
  const lines = (phase: string): string[] =>
    records(SHARD_COUNTS[phase] ?? 0).map((record) => JSON.stringify({ ...record, by: phase }));
  const jsonl = (phase: string): string =>
    lines(phase)
      .map((line) => `${line}\n`)
      .join("");
  return {
    load: jsonl("load"),
    probe: jsonl("probe"),
    refine: jsonl("load"),
    check: jsonl("check"),
    sift: jsonl("sift"),
    pack: jsonl("pack"),
    tally: `[\n${lines("tally")
      .map((line) => `[${line}]`)
      .join(",\n")}\n]\n`,
    report: "report",
    ...Object.fromEntries([...hops, ...sides].map(({ id }) => [id, id])),
  };
}
