import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ArtifactMeta } from "@fanfold/schemas";
import { AttemptError, describeError } from "./attempt-error.ts";
import type { AttemptSpec } from "./attempt-spec.ts";
import type {
  HandlerArtifactMeta,
  HandlerArtifacts,
  HandlerContext,
  HandlerLog,
  HandlerRun,
} from "./define-handler.ts";
import { handlerSpawned } from "./handler-spawns.ts";
import { readRecords } from "./read-records.ts";
import { buildReportedEvent, readArtifactMeta, type ReportedEvent, type ReportLevel } from "./reported-event.ts";
import type { RunningAttempt } from "./running-attempt.ts";

/** A handler's context, and what it still does in the background. */
export interface BuiltContext {
  readonly ctx: HandlerContext<unknown>;
  /** Resolves when every artifact the handler gave is kept; rejects with the first that could not be. */
  readonly settleArtifacts: () => Promise<void>;
}

/** Builds what the handler of an attempt gets. */
export function buildHandlerContext(
  attempt: RunningAttempt,
  { items, previous }: { items: readonly unknown[]; previous: string | undefined },
): BuiltContext {
  const { spec, stop, reports, env } = attempt;
  const kept: Promise<void>[] = [];
  const ctx: HandlerContext<unknown> = {
    items,
    item: spec.item === undefined ? undefined : items[0],
    prompt: spec.prompt?.text,
    original_prompt: spec.prompt?.original,
    iteration: spec.iteration?.number,
    previous,
    get outputs() {
      return spec.shardOutputs?.paths() ?? [];
    },
    readOutputs: () => spec.shardOutputs?.texts() ?? noTexts(),
    artifacts: consumedArtifacts(spec.artifactsDir),
    signal: stop.signal,
    env: handlerEnv(spec, env),
    run: describeRun(spec),
    log: handlerLog(attempt),
    progress: (progress) => reports.report(requireEvent("progress", progress)),
    usage: (usage) => reports.report(requireEvent("usage", usage)),
    spawn: (request) => reports.report(requireEvent("spawn", request)),
    spawned: handlerSpawned(spec, consumedArtifacts),
    order: spec.spawn?.order?.value ?? null,
    artifact: (name, content, meta) => {
      const keeping = keepArtifact(attempt, { name, meta: requireMeta(meta) }, content);
      // The handler may let go of the promise; settleArtifacts() reports its failure.
      keeping.catch(() => undefined);
      kept.push(keeping);
      return keeping;
    },
  };
  return { ctx, settleArtifacts: () => settleAll(kept) };
}

async function* noTexts(): AsyncGenerator<string> {
  // only a merge has outputs
}

/** Environment of a handler. That of a merge names the file that lists the outputs, which is written when it is asked for. */
function handlerEnv({ shardOutputs }: AttemptSpec, own: Readonly<Record<string, string>>): Record<string, string> {
  const env = { ...own };
  if (shardOutputs === undefined) return env;
  return Object.defineProperty(env, "FANFOLD_SHARD_OUTPUTS", {
    enumerable: true,
    get: () => {
      shardOutputs.paths();
      return shardOutputs.list;
    },
  });
}

async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  for (const part of await Promise.allSettled(work)) if (part.status === "rejected") throw part.reason;
}

async function keepArtifact(
  attempt: RunningAttempt,
  { name, meta }: { name: string; meta: ArtifactMeta | undefined },
  content: string | Uint8Array,
): Promise<void> {
  const said = meta === undefined ? {} : { meta };
  if (typeof content === "string") {
    attempt.reports.report({ type: "artifact", name, path: content, ...said });
    return;
  }
  const file = join(attempt.files.artifactsDir, name);
  attempt.reports.report({ type: "artifact", name, path: file, ...said });
  if (attempt.stop.status !== null) throw attempt.stop.error();
  if (attempt.reports.isClosed) throw new Error(`artifact "${name}" came after the end of its attempt`);
  await mkdir(attempt.files.artifactsDir, { recursive: true });
  await writeFile(file, content);
}

function requireMeta(fields: HandlerArtifactMeta | undefined): ArtifactMeta | undefined {
  const meta = readArtifactMeta({ ...fields });
  if (typeof meta === "string") throw new TypeError(`ctx.artifact(): ${meta}`);
  return meta;
}

/** Checks what untyped code may have passed, by the same rules as a line of FANFOLD_EVENTS. */
function requireEvent(type: "progress" | "usage" | "spawn", fields: object): ReportedEvent {
  const event = buildReportedEvent(type, { ...fields });
  if (typeof event === "string") throw new TypeError(`ctx.${type}(): ${event}`);
  return event;
}

function describeRun(spec: AttemptSpec): HandlerRun {
  return {
    run_id: spec.runId,
    phase: spec.phase.id,
    revision: spec.revision,
    shard_index: spec.shardIndex,
    shard_count: spec.shardCount,
    attempt: spec.attempt,
  };
}

function handlerLog({ reports }: RunningAttempt): HandlerLog {
  const at =
    (level: ReportLevel) =>
    (message: unknown): void =>
      reports.report({ type: "log", level, message: describeError(message) });
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

function consumedArtifacts(directory: string, of = ""): HandlerArtifacts {
  const path = (name: string): string => {
    const file = join(resolve(directory), name);
    if (/^[\w.-]+$/.test(name) && !/^\.+$/.test(name) && existsSync(file)) return file;
    throw new AttemptError("HANDLER_ERROR", `there is no consumed artifact "${of}${name}"`, {
      next_action: `add "${name}" to consumes of the phase`,
    });
  };
  return {
    path,
    text: async (name) => await readFile(path(name), "utf8"),
    json: async (name) => {
      const value: unknown = JSON.parse(await readFile(path(name), "utf8"));
      return value;
    },
    records: async (name) => await readRecords(path(name), `artifact "${of}${name}"`),
  };
}
