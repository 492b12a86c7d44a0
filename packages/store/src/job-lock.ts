/**
 * How long a dead process keeps its jobs. A job of a process that was killed right after it renewed its lock is free
 * `lockMs` later, and is found by the next check of a living worker. BullMQ lets one worker check in each interval, and
 * timers of several workers may miss each other once, so the worst case is `lockMs` + 2 × `stalledCheckMs`: 8 s.
 *
 * A living process loses a job only when it cannot renew for `lockMs` − `renewMs` = 4.5 s at least: because its event
 * loop is blocked, or Redis is away. Then the fence refuses what it does.
 */
export const JOB_LOCK = {
  /** How long a lock lasts after it was taken or renewed, in ms. */
  lockMs: 6_000,
  /** How often it is renewed, in ms. */
  renewMs: 1_500,
  /** How often workers look for jobs whose lock has ended, in ms. */
  stalledCheckMs: 1_000,
} as const;
