import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ArtifactMeta } from "@fanfold/schemas";
import { AttemptError } from "./attempt-error.ts";
import type { AttemptLog } from "./attempt-log.ts";
import type { AttemptMasks } from "./attempt-masks.ts";
import type { AskedChild, AttemptArtifact, AttemptHooks, AttemptSpec } from "./attempt-spec.ts";
import { AttemptSpawns } from "./attempt-spawns.ts";
import type { ReportedEvent } from "./reported-event.ts";
import type { RunningAttempt } from "./running-attempt.ts";

/**
 * What the user code of one attempt reports, the same for commands and handlers: events go to the caller,
 * masked, artifacts are gathered until the end. An artifact that is reported twice keeps its last file.
 */
export class AttemptReports {
  readonly #spec: AttemptSpec;
  readonly #hooks: AttemptHooks;
  readonly #log: AttemptLog;
  readonly #masks: AttemptMasks;
  readonly #files = new Map<string, string>();
  readonly #spawns: AttemptSpawns;
  readonly #metas = new Map<string, ArtifactMeta>();
  #isClosed = false;

  constructor(spec: AttemptSpec, hooks: AttemptHooks, { log, masks }: Pick<RunningAttempt, "log" | "masks">) {
    this.#spec = spec;
    this.#hooks = hooks;
    this.#log = log;
    this.#masks = masks;
    this.#spawns = new AttemptSpawns(spec);
  }

  /**
   * Takes one event; ignored once the attempt has ended.
   *
   * @throws {AttemptError} `ARTIFACT_UNDECLARED` for an artifact the phase does not provide; `SPAWN_INVALID` and
   *   `SPAWN_LIMIT` for a phase that cannot be spawned
   */
  report(event: ReportedEvent): void {
    if (this.#isClosed) return;
    if (event.type === "artifact") {
      const path = this.#keepArtifact(event.name, event.path);
      const masked = this.#masks.event({ ...event, path });
      if (masked.type === "artifact" && masked.meta !== undefined) this.#metas.set(event.name, masked.meta);
      this.#hooks.onEvent?.(masked);
      return;
    }
    if (event.type === "log") {
      const stream = event.level === "info" || event.level === "debug" ? "stdout" : "stderr";
      this.#log.line(`[${event.level}] ${event.message}`, stream);
    }
    const masked = this.#masks.event(event);
    this.#hooks.onEvent?.(masked);
    if (masked.type === "spawn") this.#spawns.take(masked.request);
  }

  /** Phases it asked to be spawned. */
  get spawned(): readonly AskedChild[] {
    return this.#spawns.asked;
  }

  /** Whether the attempt has ended. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** File reported under the name of the phase's output, which is the first one it provides. */
  get outputFile(): string | undefined {
    return this.#files.get(this.#outputName);
  }

  /** What was said of the output. */
  get outputMeta(): ArtifactMeta | undefined {
    return this.#metas.get(this.#outputName);
  }

  /** The error of an attempt that hands over its output twice. */
  outputConflict(otherWay: string): AttemptError {
    return new AttemptError(
      "ARTIFACT_CONFLICT",
      `"${this.#outputName}" is the output of phase ${this.#spec.phase.id}: it was reported as an artifact, and ${otherWay}`,
      { next_action: "hand the output over in one of the two ways" },
    );
  }

  /**
   * Artifacts beside the output, in the order the phase declares them.
   *
   * @throws {AttemptError} `ARTIFACT_MISSING` when a reported file is not there, or is not a regular file
   */
  async collectArtifacts(): Promise<AttemptArtifact[]> {
    const artifacts: AttemptArtifact[] = [];
    for (const name of this.#spec.phase.provides) {
      const file = this.#files.get(name);
      if (file === undefined) continue;
      await requireRegularFile(name, file);
      const meta = this.#metas.get(name);
      if (name !== this.#outputName) artifacts.push({ name, file, ...(meta === undefined ? {} : { meta }) });
    }
    return artifacts;
  }

  /** Ends the attempt: later events are ignored. */
  close(): void {
    this.#isClosed = true;
  }

  get #outputName(): string {
    return this.#spec.phase.provides[0] ?? this.#spec.phase.id;
  }

  #keepArtifact(name: string, path: string): string {
    const { phase, workspaceDir, baseDir } = this.#spec;
    if (!phase.provides.includes(name)) {
      const allowed = phase.provides.map((provided) => `"${provided}"`).join(", ");
      throw new AttemptError(
        "ARTIFACT_UNDECLARED",
        `artifact "${name}" is not one that phase ${phase.id} provides: ${allowed}`,
        { next_action: `add "${name}" to provides of the phase, or report one of its names` },
      );
    }
    const file = resolve(workspaceDir, baseDir, phase.cwd, path);
    this.#files.set(name, file);
    return file;
  }
}

async function requireRegularFile(name: string, file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() === true) return;
  const why = found === undefined ? "does not exist" : "is not a regular file";
  throw new AttemptError("ARTIFACT_MISSING", `the file of artifact "${name}" ${why}: ${file}`, {
    next_action: "write the file before the attempt ends; relative paths start at the phase's working directory",
  });
}
