/** Bounds of `priority` in a plan. */
const HIGHEST_PRIORITY = 100;
/** Width of a priority's band: shards of one run in flight that are told apart. */
const BAND = 10_000;

/**
 * Place of a shard in its pool's queue: the lower, the sooner. A higher priority comes before every lower one.
 * Within one priority the k-th shard that a run has in flight comes before the k+1-th of any run, so a run with
 * few shards is not held up by one with many. Never 0, which BullMQ serves before all others.
 *
 * @param priority of the phase, −100 to 100
 * @param nth the shard is the nth of its run that is in flight, from 1
 * @returns an integer from 1 to 2,010,000; BullMQ takes up to 2,097,152
 */
export function jobPriority(priority: number, nth: number): number {
  return (HIGHEST_PRIORITY - priority) * BAND + Math.min(Math.max(nth, 1), BAND);
}
