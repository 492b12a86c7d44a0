// Writes one record per line of a text that is not blank: {line, text}, with line counted from 1.
// What goes to standard output is the output of the phase, because nothing is written to FANFOLD_OUTPUT.
import { readFileSync } from "node:fs";

const [, , file] = process.argv;
if (file === undefined) throw new Error("usage: lines.mjs FILE");

for (const [index, text] of readFileSync(file, "utf8").split("\n").entries()) {
  if (text.trim() !== "") process.stdout.write(`${JSON.stringify({ line: index + 1, text })}\n`);
}
