import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRecords } from "./contract.mjs";
import { git, isMerging, listConflicts, repo } from "./git.mjs";

const TIMESTAMP = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/g;
const HUNK = /^<{7} .*\n([^]*?)^={7}\n([^]*?)^>{7} .*\n/gm;

/** The text without its timestamps. */
function blank(text) {
  return text.replaceAll(TIMESTAMP, "");
}

/** The latest timestamp in a text, in ms; not a number when one of them is no date. */
function latest(text) {
  return Math.max(...(text.match(TIMESTAMP) ?? []).map((timestamp) => Date.parse(timestamp)));
}

/** The side with the latest timestamp; undefined unless the two differ in nothing but timestamps, all of them dates. */
function chooseNewer(ours, theirs) {
  if (blank(ours) !== blank(theirs)) return undefined;
  const [our, their] = [latest(ours), latest(theirs)];
  if (Number.isNaN(our) || Number.isNaN(their)) return undefined;
  return their > our ? theirs : ours;
}

/** The text without conflicts; undefined when one of them is about more than timestamps. */
function resolveHunks(text) {
  const hunks = [...text.matchAll(HUNK)].map(([, ours, theirs]) => chooseNewer(ours, theirs));
  if (hunks.length === 0 || hunks.includes(undefined)) return undefined;
  return text.replaceAll(HUNK, () => hunks.shift());
}

/** Both sides have the file, so that it holds the marks of the conflict. */
function isInBoth(path) {
  const stages = git("ls-files", "--unmerged", "-z", "--", `:(literal,top)${path}`).split("\0");
  return ["2", "3"].every((stage) => stages.some((entry) => entry.split("\t")[0].endsWith(` ${stage}`)));
}

const textFiles = new Set(readRecords("files").flatMap((file) => (file.class === "text" ? [file.path] : [])));
const conflicts = isMerging() ? listConflicts() : [];
let resolved = 0;
for (const path of conflicts) {
  if (!textFiles.has(path) || !isInBoth(path)) continue;
  const text = resolveHunks(readFileSync(join(repo, path), "utf8"));
  if (text === undefined) continue;
  writeFileSync(join(repo, path), text);
  git("add", "--", `:(literal,top)${path}`);
  resolved += 1;
  console.log(`${path}: the newer timestamps`);
}
console.log(`${resolved} of ${conflicts.length} conflicts resolved`);
