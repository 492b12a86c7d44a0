// Adds up the counts of all lines: one "count word" a line, the most frequent first, equal counts by the alphabet.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { FANFOLD_ARTIFACTS, FANFOLD_OUTPUT } = process.env;
if (FANFOLD_ARTIFACTS === undefined || FANFOLD_OUTPUT === undefined) {
  throw new Error("run this as a phase of a plan: it wants FANFOLD_ARTIFACTS and FANFOLD_OUTPUT");
}

const totals = new Map();
for (const record of readFileSync(join(FANFOLD_ARTIFACTS, "count"), "utf8").trim().split("\n")) {
  for (const [word, count] of Object.entries(JSON.parse(record).words)) {
    totals.set(word, (totals.get(word) ?? 0) + count);
  }
}

const table = [...totals].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
writeFileSync(FANFOLD_OUTPUT, table.map(([word, count]) => `${String(count).padStart(4)} ${word}\n`).join(""));
console.log(`${totals.size} different words`);
