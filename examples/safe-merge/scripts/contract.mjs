// What a command sees of Fanfold: a few environment variables that name files. Nothing here needs a library.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The records of a consumed artifact. */
export function readRecords(name) {
  return readFileSync(join(requireEnv("FANFOLD_ARTIFACTS"), name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Makes `records` the output of this attempt. Standard output stays free for people. */
export function writeOutput(records) {
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  writeFileSync(requireEnv("FANFOLD_OUTPUT"), lines.join(""));
}

/**
 * Ends the attempt as failed, with one clear line.
 * @returns {never}
 */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** A variable of the environment that the plan sets. */
export function requireEnv(name) {
  return process.env[name] ?? fail(`${name} is not set; these scripts run as steps of examples/safe-merge/plan.json`);
}
