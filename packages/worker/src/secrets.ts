import { readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { AttemptError, errorCode } from "./attempt/attempt-error.ts";
import { isInside } from "./attempt/contained-path.ts";
import { SECRET_ENV_PREFIX } from "./attempt/inherited-env.ts";

/** Fewest characters of a secret: to mask a shorter one would hide much more than the secret. */
const MIN_SECRET_CHARS = 4;

/** Largest file of a secret, in bytes; the system takes arguments up to twice as long. */
const MAX_SECRET_BYTES = 64 * 1024;
const DEFAULT_DIR = "/run/secrets";
const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Where an attempt gets the values of the secrets its plan names. */
export interface SecretSource {
  /**
   * Value of a secret, as it is now.
   *
   * @throws {AttemptError} `SECRET_NOT_FOUND`, `SECRET_TOO_SHORT` or `SECRET_INVALID`; no message tells a value
   */
  resolveSecret(name: string): Promise<string>;
}

/**
 * The secrets of a worker: the environment variable `FANFOLD_SECRET_<NAME>`, otherwise the file `<NAME>` in the
 * directory that FANFOLD_SECRETS_DIR names (/run/secrets), without the newline at its end. Both are read anew each
 * time, so a secret may change while the worker runs.
 */
export class WorkerSecrets implements SecretSource {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  async resolveSecret(name: string): Promise<string> {
    if (!SECRET_NAME.test(name)) {
      throw invalid(`"${name}" is not a name of a secret: use letters, digits and '_', starting with no digit`);
    }
    const value = this.#env[`${SECRET_ENV_PREFIX}${name}`] ?? (await this.#readFile(name));
    const chars = value.trim().length;
    if (chars < MIN_SECRET_CHARS) throw tooShort(name, chars);
    if (value.includes("\0"))
      throw invalid(`secret ${name} contains a NUL, which no argument and no variable can hold`);
    return value;
  }

  async #readFile(name: string): Promise<string> {
    const dir = this.#env["FANFOLD_SECRETS_DIR"] || DEFAULT_DIR;
    const file = join(dir, name);
    try {
      const path = await realpath(file);
      if (!isInside(await realpath(dir), path)) throw invalid(`the file ${file} of secret ${name} leads out of ${dir}`);
      const { size, ...found } = await statFile(path);
      if (!found.isFile) throw invalid(`${file} of secret ${name} is not a regular file`);
      if (size > MAX_SECRET_BYTES)
        throw invalid(`the file ${file} of secret ${name} exceeds ${MAX_SECRET_BYTES} bytes`);
      return decode(await readFile(path), name).replace(/\r?\n$/, "");
    } catch (error) {
      if (error instanceof AttemptError) throw error;
      throw notFound(name, file, errorCode(error) ?? "UNKNOWN");
    }
  }
}

async function statFile(path: string): Promise<{ isFile: boolean; size: number }> {
  const found = await stat(path);
  return { isFile: found.isFile(), size: found.size };
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`the file of secret ${name} is not UTF-8 text; encode it, for example as base64`);
  }
}

function notFound(name: string, file: string, code: string): AttemptError {
  const trouble = code === "ENOENT" || code === "ENOTDIR" ? `no file ${file}` : `file ${file} cannot be read (${code})`;
  return new AttemptError(
    "SECRET_NOT_FOUND",
    `secret ${name} was not found: the worker has no environment variable ${SECRET_ENV_PREFIX}${name}, and ${trouble}`,
    { next_action: `give secret ${name} to every worker of the phase's pool in one of the two ways, then retry` },
  );
}

function tooShort(name: string, chars: number): AttemptError {
  const why = `secret ${name} has ${chars} characters, and a secret needs at least ${MIN_SECRET_CHARS}`;
  return new AttemptError("SECRET_TOO_SHORT", `${why}: it could not be masked in output`, {
    next_action: `use a longer value for secret ${name}, or a variable if it is no secret`,
  });
}

function invalid(why: string): AttemptError {
  return new AttemptError("SECRET_INVALID", why, { next_action: "correct the secret, then retry" });
}
