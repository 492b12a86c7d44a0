import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const runFile = promisify(execFile);
const SOURCES = join(import.meta.dirname, "../../src/embedded-redis");
const TSC = join(import.meta.dirname, "../../../../node_modules/typescript/bin/tsc");

/** Makes a directory that is removed when the test has finished. */
export async function makeScratchDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "ff-redis-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes an executable shell script. */
export async function writeScript(path: string, body: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Compiles these sources into `outDir`, for child processes that run plain JavaScript. */
export async function compileSources(outDir: string, names: readonly string[]): Promise<void> {
  const options = ["--ignoreConfig", "--noCheck", "--target", "es2023", "--module", "nodenext", "--types", "node"];
  const files = names.map((name) => join(SOURCES, `${name}.ts`));
  await runFile(process.execPath, [TSC, ...options, "--rewriteRelativeImportExtensions", "--outDir", outDir, ...files]);
  await writeFile(join(outDir, "package.json"), '{"type":"module"}');
}
