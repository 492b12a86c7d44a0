import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledPhase, Failure } from "@fanfold/schemas";
import type { AttemptHooks, AttemptOutcome, AttemptOutput, AttemptSpec } from "../../src/attempt/attempt-spec.ts";
import type { ReportedEvent } from "../../src/attempt/reported-event.ts";
import { runAttempt } from "../../src/attempt/run-attempt.ts";

/** What a test may change about an attempt. */
export interface AttemptChanges {
  readonly phase?: Partial<CompiledPhase>;
  readonly spec?: Partial<AttemptSpec>;
  /** Called with all output so far whenever there is more; `cancel` aborts the attempt. */
  readonly onText?: (text: string, cancel: () => void) => void;
}

/** An attempt that has ended, with all it told. */
export interface EndedAttempt {
  readonly outcome: AttemptOutcome;
  readonly spec: AttemptSpec;
  /** Live output, both streams. */
  readonly text: string;
  readonly events: ReportedEvent[];
}

/** A directory of its own, with a workspace whose plan lies in `plans/`. */
export class AttemptFixture {
  readonly root = mkdtempSync(join(tmpdir(), "fanfold-attempt-"));
  readonly workspaceDir = join(this.root, "workspace");
  readonly planDir = join(this.workspaceDir, "plans");
  readonly artifactsDir = join(this.root, "artifacts");
  #attempts = 0;

  constructor() {
    mkdirSync(this.planDir, { recursive: true });
    mkdirSync(this.artifactsDir);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Writes a file of the plan's directory. */
  write(path: string, content: string): string {
    const file = join(this.planDir, path);
    writeFileSync(file, content);
    return file;
  }

  spec(phase: CompiledPhase, changes: Partial<AttemptSpec> = {}): AttemptSpec {
    this.#attempts += 1;
    return {
      runId: "run_1",
      phase,
      revision: 1,
      shardIndex: 2,
      shardCount: 5,
      attempt: 1,
      planEnv: {},
      workspaceDir: this.workspaceDir,
      baseDir: "plans",
      scratchDir: join(this.root, `scratch-${this.#attempts}`),
      inputFile: null,
      artifactsDir: this.artifactsDir,
      killGraceMs: 5000,
      timeoutMs: 30_000,
      ...changes,
    };
  }

  async run(work: CompiledPhase["work"], changes: AttemptChanges = {}): Promise<EndedAttempt> {
    const spec = this.spec({ ...examplePhase(work), ...changes.phase }, changes.spec);
    const cancel = new AbortController();
    let text = "";
    const events: ReportedEvent[] = [];
    const hooks: AttemptHooks = {
      onOutput: (chunk) => {
        text += Buffer.from(chunk).toString();
        changes.onText?.(text, () => cancel.abort());
      },
      onEvent: (event) => void events.push(event),
    };
    const outcome = await runAttempt(spec, hooks, { signal: cancel.signal });
    return { outcome, spec, text, events };
  }

  /** Runs a script of /bin/sh as a command with arguments, without `shell`. */
  async sh(script: string, changes: AttemptChanges = {}): Promise<EndedAttempt> {
    return await this.run({ kind: "command", command: "sh", args: ["-c", script], shell: false }, changes);
  }

  /** Writes a handler module and runs it. */
  async handler(source: string, changes: AttemptChanges = {}): Promise<EndedAttempt> {
    const name = `handler-${this.#attempts}.mjs`;
    this.write(name, source);
    return await this.run({ kind: "handler", handler: name }, changes);
  }
}

/** A phase with no more than its work, and two artifacts. */
export function examplePhase(work: CompiledPhase["work"]): CompiledPhase {
  return {
    id: "build",
    template: "build",
    matrix: {},
    name: "build",
    takes_part: true,
    condition: null,
    work,
    cwd: ".",
    env: {},
    depends_on: [],
    shard: null,
    over_phase: null,
    merge: { strategy: "none" },
    max_parallel: null,
    concurrency_key: null,
    priority: 0,
    pool: "default",
    retry: {
      retries: 0,
      delay_sec: 1,
      backoff: "fixed",
      max_delay_sec: 300,
      jitter: 0,
      on_timeout: true,
      only_exit_codes: null,
      never_exit_codes: [],
    },
    timeout_sec: 30,
    on_failure: "abort",
    critical: true,
    max_consecutive_failures: null,
    max_failed_shards: { unit: "shards", value: 0 },
    lock: null,
    cost: {},
    consumes: [],
    provides: ["built", "report"],
    tags: [],
  };
}

/** The outcome as a success; fails the test otherwise. */
export function succeeded({ outcome }: EndedAttempt): Extract<AttemptOutcome, { status: "succeeded" }> {
  if (outcome.status !== "succeeded") throw new Error(`not a success: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** The outcome's failure; fails the test if it has none. */
export function failureOf({ outcome }: EndedAttempt): Failure {
  if (!("failure" in outcome)) throw new Error("a success, where a failure was expected");
  return outcome.failure;
}

/** Content of the output of a success. */
export function outputText(ended: EndedAttempt): string {
  return contentOf(succeeded(ended).output);
}

/** Content of an output, wherever it is. */
export function contentOf(output: AttemptOutput): string {
  return "file" in output ? readFileSync(output.file, "utf8") : Buffer.from(output.bytes).toString();
}

/** The log of an attempt; empty if there is none. */
export function logText({ outcome }: EndedAttempt): string {
  return outcome.log === undefined ? "" : contentOf(outcome.log);
}

/** Whether a process runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}
