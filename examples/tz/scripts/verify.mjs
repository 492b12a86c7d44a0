// verify: what the shards made, against one single run of the compiler over the whole source.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, readArtifact, readRecords, withScratch, writeOutput } from "./contract.mjs";
import { listFiles, runZic, sha256 } from "./zic.mjs";

const MAX_NAMED = 5;

const zones = readRecords("compiled");
const links = readRecords("linked");
const sharded = collect([...zones, ...links]);
const whole = withScratch(compileWhole);

const problems = [...differences()];
const paths = [...new Set([...sharded.keys(), ...whole.keys()])].sort((a, b) => (a < b ? -1 : 1));
console.log(
  `${paths.length} files compared, ${paths.length - problems.length} identical (${zones.length} zones + ${links.length} links)`,
);
if (problems.length > 0) {
  const more = problems.length > MAX_NAMED ? ` (+${problems.length - MAX_NAMED} more)` : "";
  fail(`the sharded build differs from the single one: ${problems.slice(0, MAX_NAMED).join(", ")}${more}`);
}
writeOutput(paths.map((path) => ({ path, sha256: sha256(sharded.get(path)) })));

// Goes through real files, as a user of the database would read them.
function collect(records) {
  return withScratch((directory) => {
    for (const { path, content_base64 } of records) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      // "wx": two records for one path are an error, not a silent overwrite
      writeFileSync(join(directory, path), Buffer.from(content_base64, "base64"), { flag: "wx" });
    }
    return readTree(directory);
  });
}

function compileWhole(directory) {
  const source = join(directory, "whole.zi");
  writeFileSync(source, readArtifact("source"));
  runZic(source, join(directory, "whole"));
  return readTree(join(directory, "whole"));
}

function readTree(directory) {
  return new Map(listFiles(directory).map((path) => [path, readFileSync(join(directory, path))]));
}

function* differences() {
  for (const [path, content] of sharded) {
    const other = whole.get(path);
    if (other === undefined) yield `${path} (only in the sharded build)`;
    else if (!content.equals(other)) yield `${path} (other bytes)`;
  }
  for (const path of whole.keys()) if (!sharded.has(path)) yield `${path} (only in the single build)`;
}
