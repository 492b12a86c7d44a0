// links: every link gets the bytes of the zone it ends at; a link may point at another link.
import { fail, readRecords, writeOutput } from "./contract.mjs";

const zones = new Map(readRecords("compiled").map((record) => [record.zone, record]));
const targets = new Map(readRecords("links").map(({ target, link }) => [link, target]));

const records = [...targets].map(([link, target]) => {
  const { size_bytes, sha256, content_base64 } = resolve(link);
  return { link, target, path: link, size_bytes, sha256, content_base64 };
});
writeOutput(records);
console.log(`${records.length} links resolved to ${new Set(targets.values()).size} targets`);

function resolve(link) {
  const seen = [];
  let name = link;
  while (!zones.has(name)) {
    if (seen.includes(name)) fail(`links form a cycle: ${[...seen, name].join(" -> ")}`);
    seen.push(name);
    name = targets.get(name) ?? fail(`link ${seen.join(" -> ")} ends at ${name}, which is neither a zone nor a link`);
  }
  return zones.get(name);
}
