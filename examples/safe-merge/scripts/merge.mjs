import { fail, readRecords } from "./contract.mjs";
import { branch, isAncestor, listConflicts, nameSome, readHead, target, tryGit } from "./git.mjs";

const [tips] = readRecords("tips");
if (isAncestor(tips.source, readHead())) {
  console.log(`nothing to merge: ${target} has all of ${branch}`);
} else {
  const message = `Merge branch '${branch}' into ${target}`;
  const { code, stdout, stderr } = tryGit("merge", "--no-ff", "-m", message, tips.source);
  const conflicts = listConflicts();
  if (conflicts.length > 0) fail(`conflict in ${nameSome(conflicts)}`);
  if (code !== 0) fail(`git merge ended with ${code}: ${(stderr || stdout).trim()}`);
  console.log(`merged as ${readHead()}`);
}
