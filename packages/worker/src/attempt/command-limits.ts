import type { Limits } from "@fanfold/schemas";
import { AttemptError, type FailureDetails } from "./attempt-error.ts";
import { SHELL } from "./worker-rules.ts";

/** Processor time after a SIGXCPU in which a process may still clean up, in seconds; then it gets SIGKILL. */
const CPU_GRACE_SEC = 5;
const KIB = 1024;
/** A shell tells of a child that a signal ended by 128 and the signal's number. */
const SIGNAL_EXITS: ReadonlyMap<number, string> = new Map([
  [128 + 24, "SIGXCPU"],
  [128 + 25, "SIGXFSZ"],
]);
/** What programs say when they get no more memory. */
const OUT_OF_MEMORY = /memory|alloc|ENOMEM/i;

/** A program and its arguments. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

/** The command line that sets the limits of its own process, and becomes the command; what it starts has them too. */
export function withLimits({ program, args }: CommandLine, limits: Limits | undefined): CommandLine {
  const lines = limits === undefined ? [] : limitLines(limits);
  if (lines.length === 0) return { program, args };
  return { program: SHELL, args: ["-c", `${lines.join("\n")}\nexec "$@"`, "fanfold", program, ...args] };
}

/** Limits of a phase that this platform does not know. */
export function unknownLimits(limits: Limits | undefined, platform: NodeJS.Platform): string[] {
  if (limits === undefined || platform === "linux") return [];
  return limits.memory_mb === undefined ? [] : ["memory_mb"];
}

function limitLines({ memory_mb, cpu_sec, file_size_mb }: Limits): string[] {
  return [
    // the units of ulimit: KiB, seconds, blocks of 512 bytes
    ...(memory_mb === undefined ? [] : [setLimit("d", "memory_mb", memory_mb * KIB)]),
    ...(cpu_sec === undefined ? [] : [setLimit("t", "cpu_sec", cpu_sec, cpu_sec + CPU_GRACE_SEC)]),
    ...(file_size_mb === undefined ? [] : [setLimit("f", "file_size_mb", file_size_mb * 2 * KIB)]),
  ];
}

function setLimit(option: string, field: string, soft: number, hard = soft): string {
  const warning = `echo 'fanfold: limits.${field} could not be set: the worker itself has a lower limit, or knows none'`;
  return `{ ulimit -S -${option} ${soft} && ulimit -H -${option} ${hard}; } 2>/dev/null || ${warning} >&2`;
}

/** How a command came to its end, and what it wrote last. */
export interface LimitedExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly lastWords: string;
}

/** The failure of a command that ran into a limit, or undefined where nothing says that it did. */
export function limitFailure(limits: Limits | undefined, exit: LimitedExit): AttemptError | undefined {
  const signal = exit.signal ?? SIGNAL_EXITS.get(exit.exitCode ?? 0);
  const details = {
    ...(exit.exitCode === null ? {} : { exit_code: exit.exitCode }),
    ...(exit.signal === null ? {} : { signal: exit.signal }),
  };
  if (signal === "SIGXCPU" && limits?.cpu_sec !== undefined) {
    return exceeded("cpu_sec", `cpu limit of ${limits.cpu_sec} s`, exit, details);
  }
  if (signal === "SIGXFSZ" && limits?.file_size_mb !== undefined) {
    return exceeded("file_size_mb", `file size limit of ${limits.file_size_mb} MiB`, exit, details);
  }
  return undefined;
}

/** What to look at when a command with a limit failed in a way that the limit may explain. */
export function limitAdvice(limits: Limits | undefined, exit: LimitedExit): string | undefined {
  if (limits?.memory_mb !== undefined && (exit.signal !== null || OUT_OF_MEMORY.test(exit.lastWords))) {
    return `its memory limit of ${limits.memory_mb} MiB may be the reason: raise limits.memory_mb, or make the shards smaller`;
  }
  if (limits?.cpu_sec !== undefined && exit.signal === "SIGKILL") {
    return `its cpu limit of ${limits.cpu_sec} s may be the reason: raise limits.cpu_sec, or make the shards smaller`;
  }
  return undefined;
}

function exceeded(field: string, what: string, exit: LimitedExit, details: FailureDetails): AttemptError {
  return new AttemptError("LIMIT_EXCEEDED", `${what} reached${exit.lastWords}`, {
    ...details,
    next_action: `raise limits.${field} of the phase, or make its shards smaller`,
  });
}
