import { createHmac, timingSafeEqual } from "node:crypto";
import type { CookieOptions, Request } from "express";

/** Name of the cookie. */
export const SESSION_COOKIE = "fanfold_session";
/** How long a login is good, in ms. */
const SESSION_MS = 12 * 3_600_000;

/** Signs and reads session cookies: `<user>.<end>.<signature>`, HMAC-SHA256 (RFC 2104) with the dashboard's key. */
export class SessionCookies {
  readonly #key: Buffer;
  readonly #path: string;

  /** @param path path that browsers send the cookie to */
  constructor(key: Buffer, path: string) {
    this.#key = key;
    this.#path = path;
  }

  /** Value of the cookie of a user who has just logged in. */
  issue(user: string, nowMs: number): string {
    const text = `${Buffer.from(user, "utf8").toString("base64url")}.${nowMs + SESSION_MS}`;
    return `${text}.${this.#sign(text)}`;
  }

  /** The user of a request's cookie, or undefined where there is none that is good. */
  read(req: Request, nowMs: number): string | undefined {
    const [user, endMs, signature] = findCookie(req.headers.cookie ?? "")?.split(".") ?? [];
    if (user === undefined || endMs === undefined || signature === undefined) return undefined;
    if (!isSame(this.#sign(`${user}.${endMs}`), signature) || Number(endMs) <= nowMs) return undefined;
    return Buffer.from(user, "base64url").toString("utf8");
  }

  /** How the cookie is set, and taken away. */
  options(req: Request): CookieOptions {
    return { httpOnly: true, sameSite: "strict", secure: req.secure, path: this.#path, maxAge: SESSION_MS };
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#key).update(`fanfold session 1\n${text}`).digest("base64url");
  }
}

function findCookie(header: string): string | undefined {
  const opening = `${SESSION_COOKIE}=`;
  const found = header
    .split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(opening));
  return found?.slice(opening.length);
}

function isSame(wanted: string, given: string): boolean {
  const [a, b] = [Buffer.from(wanted), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
