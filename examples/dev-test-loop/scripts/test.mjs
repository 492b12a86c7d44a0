// Tests the latest version of the program. While it is wrong, asks for a developer; once it is right, hands it over.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { FANFOLD_ARTIFACTS, FANFOLD_EVENTS, FANFOLD_OUTPUT, FANFOLD_SPAWNED, FANFOLD_SPAWN_ROUND } = process.env;
const round = Number(FANFOLD_SPAWN_ROUND);

// what the developer of the last round made, or the draft before the first
const file = round === 0 ? join(FANFOLD_ARTIFACTS, "draft") : join(FANFOLD_SPAWNED, `round-${round}`, "program");
const program = readFileSync(file, "utf8");
const { toRoman } = await import(`data:text/javascript,${encodeURIComponent(program)}`);

function attempt(number) {
  try {
    return toRoman(number);
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

const CASES = [
  [3, "III"],
  [4, "IV"],
  [944, "CMXLIV"],
  [0, "RangeError: 0 has no Roman numeral"],
];

const wrong = CASES.map(([number, wanted]) => ({ number, wanted, got: attempt(number) })).filter(
  ({ wanted, got }) => wanted !== got,
);

if (wrong.length > 0) {
  const [{ number, wanted, got }] = wrong;
  const reason = `toRoman(${number}) is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`;
  console.log(`${wrong.length} of ${CASES.length} cases fail: ${reason}`);
  const regression_context = { reason, output: { number, wanted, program } };
  appendFileSync(
    FANFOLD_EVENTS,
    `${JSON.stringify({ type: "spawn", phase: "dev", key: `round-${round + 1}`, regression_context })}\n`,
  );
} else {
  console.log(`all ${CASES.length} cases pass after ${round} rounds`);
  writeFileSync(FANFOLD_OUTPUT, program);
}
