import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fail, readRecords } from "./contract.mjs";
import { git, nameSome, repo } from "./git.mjs";

/** Has git overlook a path, in this clone only. Done twice it is done once. */
function exclude(path) {
  const file = resolve(repo, git("rev-parse", "--git-path", "info/exclude").trim());
  const line = `/${path.replaceAll(/[\\*?[\]# !]/g, String.raw`\$&`)}`;
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (text.split("\n").includes(line)) return;
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`);
}

const nested = readRecords("nested");
const pathsOf = (kind) => nested.filter((record) => record.kind === kind).map(({ path }) => path);
const embedded = pathsOf("embedded");
if (embedded.length > 0) fail(`repositories committed without being submodules: ${nameSome(embedded)}`);
for (const path of pathsOf("loose")) exclude(path);
console.log(`${pathsOf("loose").length} excluded, ${pathsOf("submodule").length} submodules left as they are`);
