import { basename } from "node:path";
import { writeOutput } from "./contract.mjs";
import { listGit } from "./git.mjs";

const GENERATED_NAMES = new Set(["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "Cargo.lock", "poetry.lock"]);

/** @param endings what git found in the committed file: `i/lf`, `i/-text` for binary, `i/` for what is no file */
function classify(path, endings) {
  if (endings === "i/") return "special";
  if (endings === "i/-text") return "binary";
  return GENERATED_NAMES.has(basename(path)) ? "generated" : "text";
}

const files = listGit("ls-files", "--eol", "-z").map((entry) => {
  const tab = entry.indexOf("\t");
  const path = entry.slice(tab + 1);
  return { path, class: classify(path, entry.slice(0, entry.indexOf(" "))) };
});

writeOutput(files);
for (const name of ["text", "generated", "binary", "special"]) {
  console.log(`${files.filter((file) => file.class === name).length} ${name}`);
}
