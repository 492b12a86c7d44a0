import { type ArtifactMeta, ArtifactMetaSchema } from "@fanfold/schemas";

const META_FIELDS = ["type", "format", "media_type", "metadata"] as const;

/** How loud a reported log line is. */
export type ReportLevel = "debug" | "info" | "warn" | "error";

/** How far the work is. `total` is absent while it is not known. */
export interface ProgressReport {
  readonly completed: number;
  readonly total?: number;
  readonly metric_key?: string;
  readonly unit?: string;
  readonly message?: string;
}

/** Resources the work used, such as `tokens` or `cost_usd`; each report is added to the ones before. */
export type UsageReport = Readonly<Record<string, number | string>>;

/** Something user code told about its attempt, through FANFOLD_EVENTS or a handler's context. */
export type ReportedEvent =
  | { readonly type: "artifact"; readonly name: string; readonly path: string; readonly meta?: ArtifactMeta }
  | { readonly type: "log"; readonly level: ReportLevel; readonly message: string }
  | { readonly type: "progress"; readonly progress: ProgressReport }
  | { readonly type: "usage"; readonly usage: UsageReport }
  | { readonly type: "spawn"; readonly request: Readonly<Record<string, unknown>> };

type Fields = Readonly<Record<string, unknown>>;

/**
 * A line of FANFOLD_EVENTS, read. `isVital`: the line meant an output, or a phase to spawn, which must not get lost, or
 * would change what the work is told to do, which nothing may.
 */
export type ParsedLine = { readonly event: ReportedEvent } | { readonly problem: string; readonly isVital: boolean };

const LEVELS: readonly ReportLevel[] = ["debug", "info", "warn", "error"];

/** Reads one line of FANFOLD_EVENTS. */
export function parseReportedEvent(line: string): ParsedLine {
  const fields = parseObject(line);
  if (fields === undefined) {
    return { problem: "not a JSON object", isVital: /"type"\s*:\s*"(?:artifact|spawn)"/.test(line) };
  }
  const { type, ...rest } = fields;
  const event = buildReportedEvent(type, rest);
  if (typeof event !== "string") return { event };
  return { problem: event, isVital: type === "artifact" || type === "prompt" || type === "original_prompt" };
}

/** The event of these fields, or a text that says what is wrong with them. */
export function buildReportedEvent(type: unknown, fields: Fields): ReportedEvent | string {
  switch (type) {
    case "artifact":
      return toArtifact(fields);
    case "log":
      return toLog(fields);
    case "progress":
      return toProgress(fields);
    case "usage":
      return toUsage(fields);
    case "spawn":
      return { type, request: fields };
    case "prompt":
    case "original_prompt":
      return "the prompt of a phase is the same in each attempt, and cannot be changed";
    default:
      return `type must be one of artifact, log, progress, usage, spawn, got ${JSON.stringify(type) ?? "none"}`;
  }
}

function toArtifact({ name, path, ...fields }: Fields): ReportedEvent | string {
  if (!isText(name)) return 'an artifact needs "name", a text';
  if (!isText(path)) return 'an artifact needs "path", the file it is in';
  const meta = readArtifactMeta({ ...fields, type: fields["artifact_type"] });
  if (typeof meta === "string") return meta;
  return { type: "artifact", name, path, ...(meta === undefined ? {} : { meta }) };
}

/** What is said of an artifact, or a text that says what is wrong with it. Fields it does not know are left out. */
export function readArtifactMeta(fields: Fields): ArtifactMeta | undefined | string {
  const said = META_FIELDS.filter((key) => fields[key] !== undefined && fields[key] !== null);
  if (said.length === 0) return undefined;
  const read = ArtifactMetaSchema.safeParse(Object.fromEntries(said.map((key) => [key, fields[key]])));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  return `"${issue?.path.join(".") ?? ""}" of an artifact: ${issue?.message ?? "not understood"}`;
}

function toLog({ level = "info", message }: Fields): ReportedEvent | string {
  const known = LEVELS.find((name) => name === level);
  if (known === undefined) return `"level" must be one of ${LEVELS.join(", ")}`;
  if (typeof message !== "string") return 'a log event needs "message", a text';
  return { type: "log", level: known, message };
}

function toProgress(fields: Fields): ReportedEvent | string {
  const { completed, total } = fields;
  if (!isAmount(completed)) return '"completed" must be a number of at least 0';
  if (total !== undefined && total !== null && !isAmount(total)) return '"total" must be a number of at least 0';
  const texts = Object.fromEntries(
    ["metric_key", "unit", "message"].flatMap((key) => (isText(fields[key]) ? [[key, fields[key]]] : [])),
  );
  return { type: "progress", progress: { completed, ...(isAmount(total) ? { total } : {}), ...texts } };
}

function toUsage(fields: Fields): ReportedEvent | string {
  const usage: Record<string, number | string> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value !== "string" && !isAmount(value)) return `"${key}" must be a text or a number of at least 0`;
    usage[key] = value;
  }
  return { type: "usage", usage };
}

function parseObject(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
