import { ApiErrorSchema, type JournalLine } from "@fanfold/schemas";
import type { DashboardService } from "@fanfold/dashboard";

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Asks the API of a dashboard. */
export async function ask(dashboard: DashboardService, path: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(`${dashboard.url}/api/v1${path}`, init);
  return { status: answer.status, body: await answer.json() };
}

/** Sends JSON to the API of a dashboard. */
export function post(dashboard: DashboardService, path: string, body: unknown = {}): Promise<Answer> {
  return ask(dashboard, path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Code of an answer that is an error. */
export function codeOf({ body }: Answer): string {
  return ApiErrorSchema.parse(body).error.code;
}

/** An event as it came over the wire. */
export interface SentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Events of a stream, until the caller stops reading. */
export async function* readEvents(url: string, headers: Record<string, string> = {}): AsyncGenerator<SentEvent> {
  const cut = new AbortController();
  try {
    const answer = await fetch(url, { headers, signal: cut.signal });
    if (answer.body === null || answer.status !== 200) throw new Error(`no stream: ${answer.status}`);
    let text = "";
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    cut.abort();
  }
}

function parseEvent(block: string): SentEvent | undefined {
  const field = (name: string): string | undefined =>
    block
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const event = field("event");
  return event === undefined ? undefined : { id: field("id"), event, data: field("data") ?? "" };
}

/** Lines of a stream of a run's journal, until its end or until so many came. */
export async function readLines(
  url: string,
  { most = Number.POSITIVE_INFINITY, headers = {} }: { most?: number; headers?: Record<string, string> } = {},
): Promise<JournalLine[]> {
  const lines: JournalLine[] = [];
  for await (const { event, data } of readEvents(url, headers)) {
    if (event === "end") break;
    lines.push(JSON.parse(data));
    if (lines.length === most) break;
  }
  return lines;
}
