import { PHASE_CAPS, RUN_CAP } from "./chaos-plan.ts";

/** One execution of a shard, by the shard's own account. Time is the number of the line: appends have one order. */
interface Execution {
  readonly phase: string;
  readonly shard: number;
  readonly attempt: number;
  readonly start: number;
  /** Infinity when it never came to its end. */
  end: number;
}

/** What the shards' own account says, judged without the journal. */
export interface AccountVerdict {
  readonly executions: number;
  /** Executions that were still at it when the next attempt of the same shard started. */
  readonly overlaps: number;
  /** Most that held a slot at once, of the run and of each phase. */
  readonly mostInRun: number;
  readonly mostInPhase: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/**
 * Judges the account. An execution holds its slot until it ends or a later attempt of its shard takes the slot
 * over: a worker that was killed cannot say when its executions ended, and one that was frozen goes on after it
 * woke, or begins then what it was about to begin, without a slot.
 */
export function judgeAccount(text: string): AccountVerdict {
  const executions = readAccount(text);
  let overlaps = 0;
  const changes: { at: number; phase: string; by: number }[] = [];
  for (const attempts of groupByShard(executions).values()) {
    for (const execution of attempts) {
      const takenOver = Math.min(
        Infinity,
        ...attempts.filter((next) => takesOver(next, execution)).map(({ start }) => start),
      );
      if (execution.end > takenOver && execution.end !== Infinity) overlaps += 1;
      if (execution.start > takenOver) continue;
      const end = Math.min(execution.end, takenOver);
      changes.push({ at: execution.start, phase: execution.phase, by: 1 });
      changes.push({ at: end, phase: execution.phase, by: -1 });
    }
  }
  return { executions: executions.length, overlaps, ...judgeCaps(changes) };
}

/** A restarted Redis may have forgotten an attempt, and count its successor alike: then the order of the starts tells. */
function takesOver(next: Execution, { attempt, start }: Execution): boolean {
  return next.attempt > attempt || (next.attempt === attempt && next.start > start);
}

function judgeCaps(
  changes: { at: number; phase: string; by: number }[],
): Pick<AccountVerdict, "mostInRun" | "mostInPhase" | "problems"> {
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  const inPhase: Record<string, number> = {};
  const mostInPhase: Record<string, number> = {};
  let inRun = 0;
  let mostInRun = 0;
  for (const { phase, by } of changes) {
    inRun += by;
    const now = (inPhase[phase] ?? 0) + by;
    inPhase[phase] = now;
    mostInRun = Math.max(mostInRun, inRun);
    mostInPhase[phase] = Math.max(mostInPhase[phase] ?? 0, now);
  }
  const problems: string[] = [];
  if (mostInRun > RUN_CAP) problems.push(`${mostInRun} shards ran at once, the run's cap is ${RUN_CAP}`);
  for (const [phase, cap] of Object.entries(PHASE_CAPS)) {
    const most = mostInPhase[phase] ?? 0;
    if (most > cap) problems.push(`${most} shards of ${phase} ran at once, its cap is ${cap}`);
  }
  return { mostInRun, mostInPhase, problems };
}

function readAccount(text: string): Execution[] {
  const open = new Map<string, Execution>();
  const all: Execution[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const [sign, phase, shard, attempt, pid] = line.split(" ");
    if (phase === undefined || pid === undefined) continue;
    const id = `${phase} ${shard} ${attempt} ${pid}`;
    if (sign === "+") {
      const execution = { phase, shard: Number(shard), attempt: Number(attempt), start: at, end: Infinity };
      open.set(id, execution);
      all.push(execution);
    } else {
      const execution = open.get(id);
      if (execution !== undefined) execution.end = at;
    }
  }
  return all;
}

function groupByShard(executions: readonly Execution[]): Map<string, Execution[]> {
  const groups = new Map<string, Execution[]>();
  for (const execution of executions) {
    const id = `${execution.phase} ${execution.shard}`;
    groups.set(id, [...(groups.get(id) ?? []), execution]);
  }
  return groups;
}
