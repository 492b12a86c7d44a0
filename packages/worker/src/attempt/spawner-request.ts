import type { ProgramStart } from "./command-process.ts";

/** Largest request, in bytes; whatever is larger is started without the spawner. */
const MAX_REQUEST_BYTES = 1024 * 1024;
const LENGTH_DIGITS = 8;

const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Variables that bash makes something else of, or keeps for itself. */
const OWN_NAMES: ReadonlySet<string> = new Set(["EUID", "FUNCNAME", "GROUPS", "PPID", "SHELLOPTS", "UID"]);
/** Levels of shells that bash takes as they are. */
const SHELL_LEVEL = /^(?:0|[1-9][0-9]{0,2})$/;

/**
 * What the spawner is told to start a program (see shell/command-spawner.sh): shell code in which every text stands
 * between single quotes, so that none of it is taken for code. Its standard streams are the spawner's.
 *
 * @param start a program given by its path
 * @returns undefined for what a shell cannot hand on exactly: bytes of 0, names of variables that are no names to it
 */
export function spawnerRequest({ program, args, cwd, env }: ProgramStart): Buffer | undefined {
  const variables: string[] = [];
  const exports: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!isHandedOn(name, value)) return undefined;
    // a locale that is not installed makes bash complain when it hears of it, here to nobody
    if (name === "LC_ALL") exports.push(`export LC_ALL=${quote(value)}`);
    // exec takes one off
    else if (name === "SHLVL") exports.push(`unset SHLVL; export SHLVL=${Number(value) + 1}`);
    else variables.push(`${name}=${quote(value)}`);
  }
  const line = [...variables, "exec", "--", ...[program, ...args].map(quote), "<&7 >&5 2>&6 5>&- 6>&- 7<&-"].join(" ");
  const code = [...exports, `cd -- ${quote(cwd)} || refuse cd`, line].join("; ");
  if (code.includes("\0")) return undefined;
  const request = Buffer.from(`${" ".repeat(LENGTH_DIGITS)}${code}`);
  const bytes = request.byteLength - LENGTH_DIGITS;
  if (bytes > MAX_REQUEST_BYTES) return undefined;
  request.write(String(bytes).padStart(LENGTH_DIGITS, "0"), "latin1");
  return request;
}

function isHandedOn(name: string, value: string): boolean {
  if (!SHELL_NAME.test(name) || OWN_NAMES.has(name)) return false;
  if (name.startsWith("BASH")) return name === "BASH_ENV";
  return name !== "SHLVL" || SHELL_LEVEL.test(value);
}

function quote(text: string): string {
  return `'${text.includes("'") ? text.replaceAll("'", "'\\''") : text}'`;
}
