import { randomBytes } from "node:crypto";
import type { Request, Response } from "express";
import type { Caller } from "../api/api-route.ts";
import { AccessList } from "./access-list.ts";
import { SESSION_COOKIE, SessionCookies } from "./session-cookie.ts";

/** Who asks where nobody has to log in. */
const LOCAL_OPERATOR: Caller = { user: "dashboard", role: "operator" };

/** Who may use a dashboard. */
export interface AccessSettings {
  /** Entries `name:role:hash`, apart by semicolons or lines. */
  readonly users?: string;
  /** Entries `name:role:token`, likewise. */
  readonly tokens?: string;
  /** Key that sessions are signed with; a random one by default, and then a restart ends all sessions. */
  readonly sessionKey?: string;
  /** Path that the dashboard is at, for the cookie. */
  readonly basePath: string;
}

/** Says who makes a request, logs in and out. Without users and tokens everybody is an operator. */
export class Access {
  readonly #list: AccessList;
  readonly #cookies: SessionCookies;

  /** @throws {DashboardError} BAD_USERS */
  constructor({ users = "", tokens = "", sessionKey, basePath }: AccessSettings) {
    this.#list = new AccessList(users, tokens);
    const key = sessionKey === undefined ? randomBytes(32) : Buffer.from(sessionKey, "utf8");
    this.#cookies = new SessionCookies(key, basePath === "" ? "/" : basePath);
  }

  /** Whether somebody has to say who they are. */
  get isLoginNeeded(): boolean {
    return !this.#list.isEmpty;
  }

  /** Who makes a request, by its token or its cookie. */
  find(req: Request): Caller | undefined {
    if (!this.isLoginNeeded) return LOCAL_OPERATOR;
    const [, token] = /^Bearer (\S+)$/i.exec(req.get("authorization") ?? "") ?? [];
    if (token !== undefined) return this.#list.findToken(token);
    const user = this.#cookies.read(req, Date.now());
    const role = user === undefined ? undefined : this.#list.roleOf(user);
    return user === undefined || role === undefined ? undefined : { user, role };
  }

  /** Sets the cookie of a user whose password is right. @returns the user, or undefined */
  async logIn(
    login: { user: string; password: string },
    { req, res }: { req: Request; res: Response },
  ): Promise<Caller | undefined> {
    const caller = await this.#list.findUser(login.user, login.password);
    if (caller === undefined) return undefined;
    res.cookie(SESSION_COOKIE, this.#cookies.issue(caller.user, Date.now()), this.#cookies.options(req));
    return caller;
  }

  /** Takes the cookie away. */
  logOut({ req, res }: { req: Request; res: Response }): void {
    const { maxAge: _maxAge, ...options } = this.#cookies.options(req);
    res.clearCookie(SESSION_COOKIE, options);
  }
}
