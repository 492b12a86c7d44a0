import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { readRecords } from "./contract.mjs";
import { branch, git, remote, repo, target } from "./git.mjs";

const [{ status, commit, previous }] = readRecords("published");
const file = resolve(repo, git("rev-parse", "--git-path", "safe-merge-events.jsonl").trim());
const known = existsSync(file) ? readFileSync(file, "utf8") : "";

if (status === "up_to_date" || known.includes(commit)) {
  console.log("nothing new to tell");
} else {
  const event = { event: "merge_pushed", at: new Date().toISOString(), remote, branch, target, commit, previous };
  appendFileSync(file, `${JSON.stringify(event)}\n`);
  console.log(`told in ${file}`);
}
