/** Bytes of a text that are shown at most. */
export const TEXT_PREVIEW_BYTES = 262_144;
/** Bytes of a picture that are shown at most: half a picture shows nothing. */
const PICTURE_PREVIEW_BYTES = 8_388_608;
/** Records of a table that are shown at most. */
const TABLE_RECORDS = 200;
const TABLE_COLUMNS = 12;
const CELL_CHARS = 200;

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** What can be shown of an artifact, and how. */
export type PreviewKind = "picture" | "drawing" | "json" | "records" | "text" | "none";

/** What of an artifact decides how it is shown. */
interface Described {
  readonly name: string;
  readonly media_type: string;
  readonly format: string | null;
}

/**
 * How bytes are shown.
 *
 * @param sentType what the server found in them; what their maker says is believed of text only: that it is a drawing, or
 * records, of which there may be a single one
 */
export function previewKind({ name, media_type: saidType, format }: Described, sentType: string): PreviewKind {
  const type = bareType(sentType);
  if (PICTURES.has(type)) return "picture";
  if (type === "application/x-ndjson") return "records";
  if (type === "application/json") return format === "jsonl" ? "records" : "json";
  if (!type.startsWith("text/")) return "none";
  return bareType(saidType) === "image/svg+xml" || /\.svg$/i.test(name) ? "drawing" : "text";
}

/** A type without its parameters: `text/plain; charset=utf-8` is `text/plain`. */
export function bareType(type: string): string {
  return (type.split(";")[0] ?? "").trim().toLowerCase();
}

/** Bytes to ask for: all of a picture, the beginning of anything else. */
export function previewBytes({ name, media_type: saidType }: Omit<Described, "format">): number {
  const isPicture = PICTURES.has(bareType(saidType)) || /\.(?:png|jpe?g|gif|webp)$/i.test(name);
  return isPicture ? PICTURE_PREVIEW_BYTES : TEXT_PREVIEW_BYTES;
}

/** A drawing as an address of its own: it has the rights of no page, whoever opens it, and runs nothing in a picture. */
export function drawingUrl(text: string): string {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

/** One JSON document, indented; anything else stays as it is. */
export function indentJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Records as a table. */
export interface RecordTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that are left out. */
  readonly hiddenColumns: number;
  /** Whether there are more records in the text than rows. */
  readonly isCut: boolean;
}

/**
 * The first records of JSON lines as a table: a column for each field in the order they come, or one for values that
 * have no fields. A line that is no JSON stands as it is.
 *
 * @param isCut whether the text ends in the middle: its last line is left out
 */
export function tableOf(text: string, isCut: boolean): RecordTable {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const whole = isCut && !text.endsWith("\n") ? lines.slice(0, -1) : lines;
  const records = whole.slice(0, TABLE_RECORDS).map(parseRecord);
  const names = [...new Set(records.flatMap((record) => [...record.keys()]))];
  const columns = names.slice(0, TABLE_COLUMNS);
  return {
    columns,
    rows: records.map((record) => columns.map((column) => record.get(column) ?? "")),
    hiddenColumns: names.length - columns.length,
    isCut: whole.length > TABLE_RECORDS || isCut,
  };
}

/** Column of what has no fields. */
const VALUE = "value";

function parseRecord(line: string): ReadonlyMap<string, string> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return new Map(Object.entries(value).map(([name, field]) => [name, cellText(field)]));
    }
    return new Map([[VALUE, cellText(value)]]);
  } catch {
    return new Map([[VALUE, cut(line)]]);
  }
}

function cellText(value: unknown): string {
  return cut(typeof value === "string" ? value : JSON.stringify(value));
}

function cut(text: string): string {
  return text.length > CELL_CHARS ? `${text.slice(0, CELL_CHARS)}…` : text;
}
