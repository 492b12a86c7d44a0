import { ApiError, type ErrorBody } from "./api-error.ts";

/** Path the page is served below, with a slash at its end. */
export const BASE_PATH = new URL(document.baseURI).pathname;

/** Fields of a query; those without a value are left out. */
export type Query = Readonly<Record<string, string | number | null | undefined>>;

/** Address of a resource below the API, with each part of its path escaped. */
export function apiPath(parts: readonly (string | number)[], query: Query = {}): string {
  const path = parts.map((part) => encodeURIComponent(part)).join("/");
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `${BASE_PATH}api/v1/${path}${text === "" ? "" : `?${text}`}`;
}

/**
 * Reads a resource.
 *
 * @throws {ApiError} when the answer is an error
 */
export async function getJson<Body>(path: string, signal?: AbortSignal): Promise<Body> {
  const answer = await fetch(path, {
    headers: { accept: "application/json" },
    ...(signal === undefined ? {} : { signal }),
  });
  return readAnswer<Body>(answer);
}

/**
 * Asks for a change.
 *
 * @throws {ApiError} when it is refused
 */
export async function send<Body>(method: "POST" | "DELETE", path: string, body: unknown = {}): Promise<Body> {
  const headers = { accept: "application/json", "content-type": "application/json" };
  const answer = await fetch(path, { method, headers, ...(method === "POST" ? { body: JSON.stringify(body) } : {}) });
  return readAnswer<Body>(answer);
}

async function readAnswer<Body>(answer: Response): Promise<Body> {
  if (!answer.ok) {
    const error = new ApiError(answer.status, await readError(answer));
    if (answer.status === 401) globalThis.dispatchEvent(new Event(LOGIN_NEEDED));
    throw error;
  }
  const body: Body = await answer.json();
  return body;
}

async function readError(answer: Response): Promise<ErrorBody> {
  try {
    const body: { error?: ErrorBody } = await answer.json();
    if (body.error !== undefined) return body.error;
  } catch {
    // not ours: a proxy's page, for example
  }
  return { code: `HTTP_${answer.status}`, message: `the answer was ${answer.status} ${answer.statusText}` };
}

/** Event of the window: the session is over, or there was none. */
export const LOGIN_NEEDED = "fanfold-login-needed";
