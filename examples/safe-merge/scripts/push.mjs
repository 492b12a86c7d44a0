import { fail, readRecords, writeOutput } from "./contract.mjs";
import { git, isAncestor, isMerging, nameSome, readHead, readRemoteTip, readTree, remote, target } from "./git.mjs";

/** Ends the step unless the checked-out commit is what this run made of the two tips. */
function checkMerge(head, tips) {
  if (isMerging()) fail("a merge is under way");
  const { changes } = readTree();
  if (changes.length > 0) fail(`the tree is not clean: ${nameSome(changes)}`);
  if (git("symbolic-ref", "HEAD").trim() !== `refs/heads/${target}`) fail(`${target} is not checked out any more`);
  for (const tip of [tips.source, tips.target]) if (!isAncestor(tip, head)) fail(`${head} lacks the commit ${tip}`);
}

/** Pushes, without force. A push that an earlier attempt made counts as one. @returns what there was to do */
function publish(head, tips) {
  const before = readRemoteTip(target);
  if (before === head) return head === tips.target ? "up_to_date" : "pushed";
  if (before !== tips.target) fail(`${target} of ${remote} moved to ${before} meanwhile; pull and run again`);
  git("push", remote, `${head}:refs/heads/${target}`);
  const after = readRemoteTip(target);
  if (after !== head) fail(`${target} of ${remote} is at ${after} after the push, not at ${head}`);
  return "pushed";
}

const [tips] = readRecords("tips");
const head = readHead();
checkMerge(head, tips);
const status = publish(head, tips);
writeOutput([{ status, commit: head, previous: tips.target }]);
console.log(status === "pushed" ? `pushed ${head} to ${remote} ${target}` : `${remote} ${target} is up to date`);
