import { writeOutput } from "./contract.mjs";
import { listGit, readTree, tryGit } from "./git.mjs";

const GITLINK = "160000";

/** Paths that .gitmodules knows. */
function listModules() {
  const { stdout } = tryGit("config", "--file", ".gitmodules", "-z", "--get-regexp", String.raw`^submodule\..*\.path$`);
  const entries = stdout.split("\0").filter((entry) => entry !== "");
  return new Set(entries.map((entry) => entry.slice(entry.indexOf("\n") + 1)));
}

const modules = listModules();
const links = listGit("ls-files", "--stage", "-z")
  .filter((entry) => entry.startsWith(GITLINK))
  .map((entry) => entry.slice(entry.indexOf("\t") + 1));
const tracked = links.map((path) => ({ path, kind: modules.has(path) ? "submodule" : "embedded" }));
const loose = readTree().looseRepositories.map((path) => ({ path, kind: "loose" }));
const nested = [...tracked, ...loose];

writeOutput(nested);
for (const { path, kind } of nested) console.log(`${kind} ${path}`);
console.log(`${nested.length} nested repositories`);
