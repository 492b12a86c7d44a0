// split: the time-zone source becomes one record per zone, plus rules, links and the source itself as artifacts.
import { readFileSync } from "node:fs";
import { fail, handOver, toJsonl, writeOutput } from "./contract.mjs";

const NAME = /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/;

const path = process.argv[2] ?? "/usr/share/zoneinfo/tzdata.zi";
const source = readSource(path);
const { zones, rules, links } = parse(source.toString("utf8"), path);
if (zones.length === 0) fail(`${path} declares no zone; it should be a file such as /usr/share/zoneinfo/tzdata.zi`);

writeOutput(sortByRegion(zones));
handOver("rules", rules.join(""));
handOver("links", toJsonl(links));
handOver("source", source);
const regions = new Set(zones.map((zone) => zone.scene_id)).size;
console.log(`${path}: ${zones.length} zones in ${regions} groups, ${links.length} links, ${rules.length} rules`);

function readSource(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    return fail(
      `cannot read the time-zone source ${file} (${error.code}); install it with \`apt-get install tzdata\` ` +
        "(Debian, Ubuntu) or `dnf install tzdata` (Fedora), or set the variable ZI to another copy of tzdata.zi",
    );
  }
}

function parse(text, file) {
  const found = { zones: [], rules: [], links: [] };
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    const where = `${file}:${index + 1}`;
    const [, first, second] = line.split(/\s+/);
    if (/^R(ule)?\s/i.test(line)) {
      found.rules.push(`${line}\n`);
    } else if (/^L(ink)?\s/i.test(line)) {
      found.links.push({ target: checkName(first, where), link: checkName(second, where) });
    } else if (/^Z(one)?\s/i.test(line)) {
      found.zones.push({ zone: checkName(first, where), scene_id: regionOf(first), lines: [line] });
    } else if (/^[\d+-]/.test(line) && found.zones.length > 0) {
      found.zones.at(-1).lines.push(line);
    } else {
      fail(`${where}: neither a rule, a link, a zone nor the continuation of a zone: ${line.slice(0, 80)}`);
    }
  });
  return found;
}

// Names become file names later, so nothing but plain path segments may pass.
function checkName(name, where) {
  return NAME.test(name ?? "") ? name : fail(`${where}: ${JSON.stringify(name)} is not a name of a zone`);
}

function regionOf(zone) {
  return zone.includes("/") ? zone.split("/", 1)[0] : null;
}

// Each region becomes one contiguous run, zones without one come last. The sort is stable: within a region the order
// of the source stays.
function sortByRegion(records) {
  return records.toSorted((a, b) => {
    if (a.scene_id === b.scene_id) return 0;
    if (a.scene_id === null || b.scene_id === null) return a.scene_id === null ? 1 : -1;
    return a.scene_id < b.scene_id ? -1 : 1;
  });
}
