import { writeOutput } from "./contract.mjs";
import { branch, git, remote, target } from "./git.mjs";

const trackingRef = (name) => `refs/remotes/${remote}/${name}`;
git("fetch", "--no-tags", remote, ...[branch, target].map((name) => `+refs/heads/${name}:${trackingRef(name)}`));

const tips = {
  source: git("rev-parse", "--verify", trackingRef(branch)).trim(),
  target: git("rev-parse", "--verify", trackingRef(target)).trim(),
};
writeOutput([tips]);
console.log(`${branch} is at ${tips.source}, ${target} at ${tips.target}`);
