import { fail } from "./contract.mjs";
import { branch, findUnfinishedWork, git, nameSome, readHead, readTree, repo, target, tryGit } from "./git.mjs";

if (tryGit("rev-parse", "--is-inside-work-tree").stdout.trim() !== "true") fail(`${repo} is not a clone with a tree`);
for (const name of [branch, target]) {
  if (tryGit("check-ref-format", `refs/heads/${name}`).code !== 0) fail(`"${name}" is not the name of a branch`);
}
if (branch === target) fail(`${branch} cannot be merged into itself`);

const checkedOut = tryGit("symbolic-ref", "--quiet", "HEAD").stdout.trim().replace("refs/heads/", "");
if (checkedOut !== target) fail(`${checkedOut || "no branch"} is checked out in ${repo}; check out ${target}`);
const unfinished = findUnfinishedWork();
if (unfinished) fail(`a ${unfinished} is under way in ${repo}; finish it or abort it`);
const { changes } = readTree();
if (changes.length > 0) fail(`the tree is not clean: ${nameSome(changes)}`);

console.log(`${git("--version").trim()}; ${target} is at ${readHead()}, and the tree is clean`);
