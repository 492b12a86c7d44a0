import { stat } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { AttemptError, describeError } from "./attempt-error.ts";
import type { AttemptSpec } from "./attempt-spec.ts";
import { findContainedPath } from "./contained-path.ts";
import type { Handler } from "./define-handler.ts";
import { permitHandler } from "./worker-rules.ts";

/** A handler's module, as of one version of its file. */
interface LoadedHandler {
  readonly version: string;
  readonly handler: Promise<Handler<unknown>>;
}

/** Where a handler is looked for, by which rules, and for which phase. */
export type HandlerPlace = Pick<AttemptSpec, "workspaceDir" | "baseDir" | "rules" | "phase">;

const loadedHandlers = new Map<string, LoadedHandler>();

/**
 * Function that the handler module of a phase exports. A module is loaded once and again when its file changes;
 * modules it imports stay as they were first loaded.
 *
 * @param handlerPath path as the plan names it, relative to the plan's directory
 * @throws {AttemptError} `HANDLER_NOT_FOUND`, `HANDLER_INVALID`, `HANDLER_NOT_ALLOWED` or `PATH_OUTSIDE_WORKSPACE`
 */
export async function loadHandler(spec: HandlerPlace, handlerPath: string): Promise<Handler<unknown>> {
  const path = await findContainedPath(spec, handlerPath, "handler");
  const found = path === undefined ? undefined : await stat(path);
  if (path === undefined || found?.isFile() !== true) throw notFound(spec, handlerPath);
  await permitHandler(spec, path, handlerPath);
  const version = `${found.mtimeMs}-${found.size}`;
  const loaded = loadedHandlers.get(path);
  if (loaded?.version === version) return await loaded.handler;
  const handler = importHandler(path, version, handlerPath);
  loadedHandlers.set(path, { version, handler });
  return await handler;
}

/** How long a block trusts a handler that was looked at for another one, in ms. */
const TRUST_MS = 100;

const recentHandlers = new Map<string, { readonly atMs: number; readonly handler: Promise<Handler<unknown>> }>();

/** The handler as {@link loadHandler} gives it, or gave it a moment ago: many blocks of a phase begin in one moment. */
export function loadRecentHandler(place: HandlerPlace, handlerPath: string): Promise<Handler<unknown>> {
  const { workspaceDir, baseDir, rules } = place;
  const key = JSON.stringify([workspaceDir, baseDir, rules?.handlersDir ?? null, handlerPath]);
  const recent = recentHandlers.get(key);
  const nowMs = performance.now();
  if (recent !== undefined && nowMs - recent.atMs < TRUST_MS) return recent.handler;
  const handler = loadHandler(place, handlerPath);
  recentHandlers.delete(key);
  recentHandlers.set(key, { atMs: nowMs, handler });
  if (recentHandlers.size > MAX_RECENT) {
    const [oldest] = recentHandlers.keys();
    if (oldest !== undefined) recentHandlers.delete(oldest);
  }
  return handler;
}

/** Handlers of which it is remembered when they were looked at. */
const MAX_RECENT = 100;

async function importHandler(path: string, version: string, handlerPath: string): Promise<Handler<unknown>> {
  const module = await importModule(path, version, handlerPath);
  const handler = module["default"];
  if (isHandler(handler)) return handler;
  const got = handler === undefined ? "has no default export" : `has a default export of type ${typeof handler}`;
  throw invalid(`handler "${handlerPath}" ${got}, not a function`);
}

async function importModule(path: string, version: string, handlerPath: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(path);
  url.searchParams.set("version", version);
  try {
    return await import(/* @vite-ignore */ url.href);
  } catch (error) {
    throw invalid(`handler "${handlerPath}" cannot be loaded: ${describeError(error)}`);
  }
}

function isHandler(value: unknown): value is Handler<unknown> {
  return typeof value === "function";
}

function notFound(spec: HandlerPlace, handlerPath: string): AttemptError {
  return new AttemptError(
    "HANDLER_NOT_FOUND",
    `handler "${handlerPath}" is not a file in plan directory "${spec.baseDir}" of the worker's workspace`,
    { next_action: `correct handler of phase ${spec.phase.id}, or bring the file to the worker` },
  );
}

function invalid(why: string): AttemptError {
  return new AttemptError("HANDLER_INVALID", why, {
    next_action: "export a function from the module: export default defineHandler(async (ctx) => output)",
  });
}
