// What a command sees of Fanfold: a few environment variables that name files. Nothing here needs a library.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The records of this shard. */
export function readInput() {
  return parseJsonl(readFileSync(requireEnv("FANFOLD_INPUT"), "utf8"));
}

/** The bytes of a consumed artifact. */
export function readArtifact(name) {
  return readFileSync(join(requireEnv("FANFOLD_ARTIFACTS"), name));
}

/** The records of a consumed artifact. */
export function readRecords(name) {
  return parseJsonl(readArtifact(name).toString("utf8"));
}

/** Makes `records` the output of this attempt. Standard output stays free for people. */
export function writeOutput(records) {
  writeFileSync(requireEnv("FANFOLD_OUTPUT"), toJsonl(records));
}

/** Hands over `content` as one more artifact of the phase, next to its output. */
export function handOver(name, content) {
  const path = join(makeScratch(), name);
  writeFileSync(path, content);
  appendFileSync(requireEnv("FANFOLD_EVENTS"), `${JSON.stringify({ type: "artifact", name, path })}\n`);
}

/** Runs `work` with a directory of its own and removes the directory afterwards. */
export function withScratch(work) {
  const directory = makeScratch();
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Ends the attempt as failed, with one clear line. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** One JSON document a line. */
export function toJsonl(records) {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

// Scratch lies beside the output file, so it goes away with the attempt even when the process is killed.
function makeScratch() {
  return mkdtempSync(join(dirname(requireEnv("FANFOLD_OUTPUT")), "tz-"));
}

function parseJsonl(text) {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

function requireEnv(name) {
  return process.env[name] ?? fail(`${name} is not set; these scripts run as phases of examples/tz/plan.yaml`);
}
