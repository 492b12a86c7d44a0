import type { AttemptDetail, ShardDetail } from "../api/shapes.ts";

/** Every attempt of a shard, oldest first: the earlier ones, and the latest as the shard itself tells of it. */
export function listAttempts(shard: ShardDetail): readonly AttemptDetail[] {
  const earlier = shard.history.filter(({ attempt }) => attempt !== shard.attempt);
  if (shard.attempt === null) return earlier;
  const known = shard.history.find(({ attempt }) => attempt === shard.attempt);
  if (known !== undefined && (shard.status === "backoff" || shard.status === "waiting" || shard.status === "released")) {
    return [...earlier, known];
  }
  const latest = {
    attempt: shard.attempt,
    status: known !== undefined && known.status !== "running" ? known.status : shard.status,
    worker: shard.worker,
    started_at_ms: shard.started_at_ms,
    finished_at_ms: shard.finished_at_ms,
    failure: shard.failure,
  };
  return [...earlier, latest].sort((a, b) => a.attempt - b.attempt);
}
