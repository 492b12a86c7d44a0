import { fileURLToPath } from "node:url";

/** Path of a shell script of this package; the bundle of the command has a copy at the same place beside it. */
export function shellScript(name: string): string {
  return fileURLToPath(new URL(`../shell/${name}`, import.meta.url));
}
