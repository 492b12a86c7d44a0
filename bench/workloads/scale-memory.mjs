import { collectGarbage } from "@fanfold/engine";
import { compile, measureRun } from "../setup/measure-run.mjs";
import { connect, memoryByKind } from "../setup/redis-figures.mjs";
import { scalePlan, until, untilPhaseSucceeded } from "../setup/scale-plan.mjs";
import { round } from "../setup/statistics.mjs";
import { chainPlan } from "./chain.mjs";

const SHARDS = 10_000;
const PHASES = 200;

/** What runs take of Redis' memory, by kind of key, from the server's own account of each key. */
export function s2(shards = SHARDS) {
  return [
    {
      id: `S2:${shards}`,
      title: `memory of Redis: a phase of ${shards} shards, then a chain of ${PHASES} phases`,
      isScaleRun: true,
      prepare: (bench) => prepareMemory(bench, shards),
    },
  ];
}

async function prepareMemory(bench, shards) {
  const client = await bench.startFanfold();
  const { store, engine } = client;
  const redis = connect(bench);
  const measure = () => memoryByKind(redis, kindOf);
  return {
    async fanfold() {
      await measureRun(client, compile(chainPlan(1)));
      await collectGarbage(engine, { keepRuns: 0, graceMs: 0 });
      const idle = await measure();
      // nobody serves the pool of the shards yet: as many as may be are on its queue, and stay there
      const { runId } = await engine.submit(scalePlan(shards, { pool: "held" }));
      await untilPhaseSucceeded(client, runId, "make");
      const counts = () => store.ledger.findPhase(runId, "fan");
      await until(async () => {
        const { in_flight: inFlight = 0, unacked = 1 } = (await counts()) ?? {};
        return inFlight > 0 && unacked === 0;
      });
      const { in_flight: released } = await counts();
      const waiting = await measure();
      await bench.startWorkers({ pool: "held" });
      await untilPhaseSucceeded(client, runId, "fan");
      const kept = await measure();
      await collectGarbage(engine, { keepRuns: 0, graceMs: 0 });
      const collected = await measure();
      const { runId: chain } = await measureRun(client, compile(chainPlan(PHASES)));
      const chained = await measure();
      await engine.remove(chain, { force: false, actor: "bench" });
      return {
        figures: {
          idle_deployment_bytes: total(idle),
          per_shard_on_a_queue_bytes: (total(waiting) - total(idle)) / released,
          per_waiting_shard_bytes: (total(waiting) - total(idle)) / shards,
          per_finished_shard_bytes: (total(kept, isOfRun) - total(idle, isOfRun)) / shards,
          per_shard_after_gc_bytes: (total(collected, isOfRun) - total(idle, isOfRun)) / shards,
          kept_by_queues_bytes: total(kept, isOfQueue) - total(idle, isOfQueue),
          left_by_queues_after_gc_bytes: total(collected, isOfQueue) - total(idle, isOfQueue),
          per_phase_bytes: (total(chained) - total(collected)) / PHASES,
        },
        notes: {
          waiting_by_kind: perOne(waiting, idle, released),
          finished_by_kind: perOne(kept, idle, shards),
          left_after_gc_by_kind: perOne(collected, idle, 1),
          phase_by_kind: perOne(chained, collected, PHASES),
        },
      };
    },
  };
}

const QUEUE_KEYS =
  /:(meta|id|events|marker|wait|active|paused|prioritized|pc|delayed|completed|failed|waiting-children|stalled|stalled-check|limiter|repeat)$/;

/** What a key is, without the run or the job it is of. */
function kindOf(key) {
  const name = key.slice(key.indexOf(":") + 1);
  const ofRun = /^run:[^:]+(?::([^:]+))?/.exec(name);
  if (ofRun !== null) return ofRun[1] === undefined ? "run record" : `run ${ofRun[1]}`;
  const queue = /^(scheduler|aggregate|gates|shards\.[^:]+):/.exec(name)?.[1];
  if (queue === undefined) return name;
  if (QUEUE_KEYS.test(name)) return name;
  const part = /:(processed|dependencies|logs|lock|failed|unsuccessful)$/.exec(name)?.[1];
  return `${queue} job${part === undefined ? "" : ` ${part}`}`;
}

/** What a run keeps as long as it is kept, and grows with it; all else is of queues, which keep a bounded tail. */
function isOfRun(kind) {
  return /^(run |(aggregate|gates) job)/.test(kind);
}

function isOfQueue(kind) {
  return !isOfRun(kind);
}

function total(kinds, isWanted = () => true) {
  return Object.entries(kinds).reduce((sum, [kind, bytes]) => sum + (isWanted(kind) ? bytes : 0), 0);
}

/** What has come since, divided; the largest first. */
function perOne(after, before, count) {
  const grown = Object.entries(after).map(([kind, bytes]) => [kind, (bytes - (before[kind] ?? 0)) / count]);
  const sorted = grown.filter(([, bytes]) => Math.abs(bytes) >= 1).toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.map(([kind, bytes]) => [kind, round(bytes)]));
}
