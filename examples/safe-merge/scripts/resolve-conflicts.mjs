import { fail, readRecords } from "./contract.mjs";
import { branch, git, isAncestor, isMerging, listConflicts, nameSome, readHead, target } from "./git.mjs";

const [tips] = readRecords("tips");
if (isMerging()) {
  const conflicts = listConflicts();
  if (conflicts.length > 0) {
    git("merge", "--abort");
    fail(`${branch} and ${target} disagree in ${nameSome(conflicts)}; the merge is taken back, nothing is pushed`);
  }
  git("commit", "--no-edit");
  console.log(`every conflict was resolved; merged as ${readHead()}`);
} else if (isAncestor(tips.source, readHead())) {
  console.log("no conflicts");
} else {
  fail(`${branch} is not merged into ${target}; see what the merge step says`);
}
