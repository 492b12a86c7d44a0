import { createHash, timingSafeEqual } from "node:crypto";
import { type Role, RoleSchema } from "@fanfold/schemas";
import type { Caller } from "../api/api-route.ts";
import { DashboardError } from "../server/dashboard-error.ts";
import { isPassword, isPasswordHash } from "./password.ts";

/** Shortest token that is accepted, in characters: shorter ones can be guessed. */
const MIN_TOKEN_CHARS = 16;
/** Checked where there is no such user, so that the time of an answer does not tell who is one. */
const NOBODYS_HASH = `scrypt$32768$8$1$${"A".repeat(22)}$${"A".repeat(43)}`;

interface User {
  readonly role: Role;
  readonly hash: string;
}

interface Token extends Caller {
  readonly digest: Buffer;
}

/** Who may use a dashboard: users with passwords, and tokens for scripts. */
export class AccessList {
  readonly #users: ReadonlyMap<string, User>;
  readonly #tokens: readonly Token[];

  /**
   * @param users  entries `name:role:hash`, apart by semicolons or lines; `#` begins a remark
   * @param tokens entries `name:role:token`, likewise
   * @throws {DashboardError} BAD_USERS naming the entry
   */
  constructor(users: string, tokens: string) {
    this.#users = new Map(
      entriesOf(users, "FANFOLD_USERS").map(({ name, role, rest }) => [name, userOf(name, role, rest)]),
    );
    this.#tokens = entriesOf(tokens, "FANFOLD_TOKENS").map(({ name, role, rest }) => tokenOf(name, role, rest));
  }

  /** Whether there is nobody who could log in, or send a token. */
  get isEmpty(): boolean {
    return this.#users.size === 0 && this.#tokens.length === 0;
  }

  /** The role of a user; undefined for one that there is not (any more). */
  roleOf(user: string): Role | undefined {
    return this.#users.get(user)?.role;
  }

  /** The user of this name and password. */
  async findUser(name: string, password: string): Promise<Caller | undefined> {
    const user = this.#users.get(name);
    const isRight = await isPassword(password, user?.hash ?? NOBODYS_HASH);
    return user !== undefined && isRight ? { user: name, role: user.role } : undefined;
  }

  /** Whose token it is. Takes the same time for every token. */
  findToken(token: string): Caller | undefined {
    const digest = digestOf(token);
    const matching = this.#tokens.filter((known) => timingSafeEqual(known.digest, digest));
    const [found] = matching;
    return found === undefined ? undefined : { user: found.user, role: found.role };
  }
}

interface Entry {
  readonly name: string;
  readonly role: Role;
  readonly rest: string;
}

function entriesOf(text: string, source: string): Entry[] {
  const lines = text.split(/[;\n]/).map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line, i) => entryOf(line, `${source}, entry ${i + 1}`));
}

/** The message never shows the entry: it may hold a password. */
function entryOf(line: string, place: string): Entry {
  const [, name, role, rest] = /^([\w.@-]{1,100}):([a-z]+):(.+)$/.exec(line) ?? [];
  const known = RoleSchema.safeParse(role);
  if (name === undefined || rest === undefined || !known.success) {
    throw new DashboardError("BAD_USERS", `${place}: write name:viewer:… or name:operator:…`);
  }
  return { name, role: known.data, rest };
}

function userOf(name: string, role: Role, hash: string): User {
  if (isPasswordHash(hash)) return { role, hash };
  throw new DashboardError("BAD_USERS", `FANFOLD_USERS: ${name} has no hash; make one with \`fanfold user hash\``);
}

function tokenOf(user: string, role: Role, token: string): Token {
  if (token.length >= MIN_TOKEN_CHARS) return { user, role, digest: digestOf(token) };
  const remedy = "make one with `openssl rand -hex 32`";
  throw new DashboardError(
    "BAD_USERS",
    `FANFOLD_TOKENS: the token of ${user} needs ${MIN_TOKEN_CHARS} characters; ${remedy}`,
  );
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
