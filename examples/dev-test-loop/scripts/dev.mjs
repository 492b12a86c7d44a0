// A stand-in for a developer: mends the one fault that the test names, in the program that the test hands over.
import { readFileSync, writeFileSync } from "node:fs";

const { regression_context: context } = JSON.parse(readFileSync(process.env.FANFOLD_SPAWN, "utf8"));
const { number, program } = context.output;
console.log(`${context.requested_by} says: ${context.reason}`);

const PAIRS = {
  D: '[900, "CM"], [500, "D"], [400, "CD"]',
  L: '[90, "XC"], [50, "L"], [40, "XL"]',
  V: '[9, "IX"], [5, "V"], [4, "IV"]',
};

function addPairs(text) {
  return text.replace(/\[(?:500|50|5), "([DLV])"\]/g, (_, sign) => PAIRS[sign]);
}

function refuseNothing(text) {
  const check = "if (number < 1) throw new RangeError(`${number} has no Roman numeral`);";
  return text.replace("  let rest", `  ${check}\n  let rest`);
}

const mended = number < 1 ? refuseNothing(program) : addPairs(program);
if (mended === program) throw new Error("no idea how to mend this");
writeFileSync(process.env.FANFOLD_OUTPUT, mended);
