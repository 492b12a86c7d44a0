import { access, constants, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errorCode } from "./attempt-error.ts";

/**
 * Absolute path of a program: of a name, looked up on a PATH, or of a path, whether something is there or not.
 *
 * @param base     directory in which a relative path starts
 * @param pathText value of a variable PATH
 */
export async function findProgram(command: string, base: string, pathText: string): Promise<string | undefined> {
  if (command.includes("/")) return resolve(base, command);
  for (const dir of pathText.split(":")) {
    const path = join(resolve(base, dir), command);
    if ((await findFault(path)) === undefined) return path;
  }
  return undefined;
}

/** Code of the error with which the start of a program would fail, or undefined when it is there and executable. */
export async function findFault(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile() ? undefined : "EACCES";
  } catch (error) {
    return errorCode(error) ?? "EACCES";
  }
}
