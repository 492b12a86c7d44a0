import { fail } from "./contract.mjs";
import { branch, git, isAncestor, readHead, readRemoteTip, remote, target } from "./git.mjs";

for (const name of [branch, target]) if (!readRemoteTip(name)) fail(`${remote} has no branch ${name}`);

const tip = readRemoteTip(target);
const head = readHead();
if (!isAncestor(tip, head)) fail(`${remote} has commits on ${target} that the clone lacks; pull first`);
const ahead = Number(git("rev-list", "--count", `${tip}..${head}`));
console.log(ahead === 0 ? `${target} is level with ${remote}` : `${target} is ${ahead} commits ahead of ${remote}`);
