// compile: the zones of one shard, together with all rules, through the system's compiler.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fail, readArtifact, readInput, withScratch, writeOutput } from "./contract.mjs";
import { fileFields, listFiles, runZic } from "./zic.mjs";

const slowMs = Number(process.argv[2] ?? "0");
if (!(slowMs >= 0)) fail(`SLOW_MS is ${JSON.stringify(process.argv[2])}; give a number of milliseconds`);

const zones = readInput();
console.log(`compiling ${zones.length} zones: ${zones[0].zone} … ${zones.at(-1).zone}`);
if (slowMs > 0) await sleep(slowMs);

const records = withScratch((directory) => {
  const source = join(directory, "shard.zi");
  const target = join(directory, "out");
  writeFileSync(source, Buffer.concat([readArtifact("rules"), Buffer.from(toSource(zones))]));
  runZic(source, target);
  expectExactly(
    zones.map((zone) => zone.zone),
    listFiles(target),
  );
  return zones.map(({ zone }) => ({ zone, ...fileFields(zone, readFileSync(join(target, zone))) }));
});
writeOutput(records);
console.log(`compiled ${records.length} zones, ${records.reduce((sum, record) => sum + record.size_bytes, 0)} bytes`);

function toSource(zoneRecords) {
  return zoneRecords.flatMap((zone) => zone.lines.map((line) => `${line}\n`)).join("");
}

function expectExactly(wanted, made) {
  const missing = wanted.filter((name) => !made.includes(name));
  const extra = made.filter((name) => !wanted.includes(name));
  if (missing.length + extra.length === 0) return;
  throw new Error(`zic made other files than asked: missing [${missing.join(", ")}], extra [${extra.join(", ")}]`);
}
