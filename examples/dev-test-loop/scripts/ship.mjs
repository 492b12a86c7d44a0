// Uses the program that passed the test.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const program = readFileSync(join(process.env.FANFOLD_ARTIFACTS, "tested"), "utf8");
const { toRoman } = await import(`data:text/javascript,${encodeURIComponent(program)}`);
for (const number of process.argv.slice(2)) console.log(`${number} ${toRoman(Number(number))}`);
