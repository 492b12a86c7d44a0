import { StoreError } from "../store-error.ts";

/** Files with PEM texts for `rediss`; the system's certificate authorities are trusted when there is no `caFile`. */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Credentials of the Sentinels themselves; those of the data servers stand in the URL. */
export interface SentinelLogin {
  readonly username?: string;
  readonly password?: string;
}

/** Where Redis is: a URL (docs/redis.md lists its forms), or the path of a Unix socket. */
export interface RedisAddress {
  readonly url?: string;
  readonly socketPath?: string;
  readonly tls?: TlsFiles;
  readonly sentinelLogin?: SentinelLogin;
}

/** A host and its port. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** A parsed URL. */
export interface RedisUrl {
  readonly kind: "single" | "sentinel" | "cluster";
  readonly isTls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** At least one; the servers themselves, the Sentinels, or some nodes of the cluster. */
  readonly nodes: readonly [RedisNode, ...RedisNode[]];
  /** Name of the master that the Sentinels watch; empty for the other kinds. */
  readonly masterName: string;
  readonly db: number;
}

const DEFAULT_PORT = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;
const FORMS =
  "redis://, rediss://, redis+sentinel://, rediss+sentinel://, redis+cluster:// or rediss+cluster://, such as redis://host:6379";

/** Parses a URL of Redis. @throws {StoreError} REDIS_REFUSED saying what is wrong with it, without its password */
export function parseRedisUrl(text: string): RedisUrl {
  const shape = /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^/?#@]*)(\/[^?#]*)?([?#].*)?$/.exec(text);
  if (shape === null) throw refused(`REDIS_URL must start with ${FORMS}, got ${JSON.stringify(withoutLogin(text))}`);
  const [, scheme, suffix, login = "", hosts = "", path = "", rest = ""] = shape;
  if (rest.length > 1) throw refused(`REDIS_URL takes no options after ${JSON.stringify(rest.slice(0, 1))}`);
  const kind = suffix === "sentinel" || suffix === "cluster" ? suffix : "single";
  const { masterName, db } = parsePath(kind, path.slice(1));
  return {
    kind,
    isTls: scheme === "rediss",
    ...parseLogin(login),
    nodes: parseNodes(kind, hosts),
    masterName,
    db,
  };
}

/** Address for people: without credentials. */
export function describeAddress(address: RedisAddress): string {
  if (address.socketPath !== undefined) return address.socketPath;
  return address.url === undefined ? "redis" : withoutLogin(address.url);
}

function withoutLogin(text: string): string {
  return text.replace(/^([^/]*\/\/)?.*@/, "$1").replace(/[?#].*$/, "");
}

function parseLogin(login: string): Pick<RedisUrl, "username" | "password"> {
  const split = login.indexOf(":");
  const [user, password] = split < 0 ? [login, ""] : [login.slice(0, split), login.slice(split + 1)];
  try {
    return { username: decodeURIComponent(user) || undefined, password: decodeURIComponent(password) || undefined };
  } catch (cause) {
    throw refused("the user or password in REDIS_URL is not URL-encoded; write %25 for a percent sign", { cause });
  }
}

function parseNodes(kind: RedisUrl["kind"], hosts: string): RedisUrl["nodes"] {
  const [first, ...others] = hosts.split(",").map((text) => parseNode(text, DEFAULT_PORT[kind]));
  if (first === undefined) throw refused("REDIS_URL names no host; write redis://host:6379");
  if (kind === "single" && others.length > 0) {
    throw refused("REDIS_URL names several hosts; write redis+cluster:// or redis+sentinel:// for what they are");
  }
  return [first, ...others];
}

function parseNode(text: string, defaultPort: number): RedisNode {
  const [, bracketed, name = "", port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d*))?$/.exec(text) ?? [];
  const node = { host: bracketed ?? (name || "127.0.0.1"), port: Number(port || defaultPort) };
  if (port === undefined && text !== name && text !== `[${bracketed}]`) {
    throw refused(`REDIS_URL names the host ${JSON.stringify(text)}; write host:port`);
  }
  if (node.port > 65_535) throw refused(`REDIS_URL names port ${node.port}; ports go up to 65535`);
  return node;
}

function parsePath(kind: RedisUrl["kind"], path: string): Pick<RedisUrl, "masterName" | "db"> {
  if (kind === "cluster") {
    if (path === "" || path === "0") return { masterName: "", db: 0 };
    throw refused(`REDIS_URL names database ${path}; a cluster has database 0 only`);
  }
  const [masterName = "", db = ""] = kind === "sentinel" ? path.split("/") : ["", path];
  if (kind === "sentinel" && masterName === "") {
    throw refused("REDIS_URL names no master; write redis+sentinel://host:26379/<name of the master>");
  }
  if (!/^\d*$/.test(db)) throw refused(`REDIS_URL names database ${JSON.stringify(db)}; write its number`);
  return { masterName, db: Number(db) };
}

function refused(message: string, options?: ErrorOptions): StoreError {
  return new StoreError("REDIS_REFUSED", message, options);
}
