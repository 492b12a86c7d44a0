// Git in the clone that the plan is about.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fail, requireEnv } from "./contract.mjs";

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** Variables that would lead git to another repository than the clone. */
const REPOSITORY_VARIABLES = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE"];

export const repo = requireEnv("REPO");
export const branch = requireEnv("BRANCH");
export const target = requireEnv("TARGET");
export const remote = requireEnv("REMOTE");

/** Settings that the result must not depend on, and who commits: the machine may have no identity of its own. */
const SETTINGS = [
  `user.name=${requireEnv("MERGER_NAME")}`,
  `user.email=${requireEnv("MERGER_EMAIL")}`,
  "commit.gpgSign=false",
  "merge.conflictStyle=merge",
  "rerere.enabled=false",
].flatMap((setting) => ["-c", setting]);

/** Runs git. @returns its exit code and what it printed, whatever the code is */
export function tryGit(...args) {
  const env = { ...process.env, LC_ALL: "C", GIT_TERMINAL_PROMPT: "0", GIT_EDITOR: "true" };
  for (const name of REPOSITORY_VARIABLES) delete env[name];
  const options = { env, encoding: "utf8", maxBuffer: MAX_OUTPUT_BYTES };
  const { status, stdout, stderr, error } = spawnSync("git", ["-C", repo, ...SETTINGS, ...args], options);
  if (error) fail(`git cannot be run: ${error.message}`);
  return { code: status, stdout, stderr };
}

/** Runs git, which must succeed. @returns its standard output as it is */
export function git(...args) {
  const { code, stdout, stderr } = tryGit(...args);
  if (code !== 0) fail(`git ${args.join(" ")} ended with ${code}: ${(stderr || stdout).trim()}`);
  return stdout;
}

/** Runs git with `-z`, which must succeed. @returns the entries it printed */
export function listGit(...args) {
  return git(...args)
    .split("\0")
    .filter((entry) => entry !== "");
}

/** The commit that is checked out. */
export function readHead() {
  return git("rev-parse", "--verify", "HEAD").trim();
}

/** Whether `ancestor` is `descendant` or comes before it; false for a commit the clone does not have. */
export function isAncestor(ancestor, descendant) {
  return tryGit("merge-base", "--is-ancestor", ancestor, descendant).code === 0;
}

/** Whether a merge is begun and not committed. */
export function isMerging() {
  return tryGit("rev-parse", "--verify", "--quiet", "MERGE_HEAD").code === 0;
}

/** The work that is begun and not finished in the clone, by its name; undefined when there is none. */
export function findUnfinishedWork() {
  const works = { MERGE_HEAD: "merge", CHERRY_PICK_HEAD: "cherry-pick", REVERT_HEAD: "revert" };
  const rebases = { "rebase-merge": "rebase", "rebase-apply": "rebase" };
  const gitDir = git("rev-parse", "--absolute-git-dir").trim();
  return Object.entries({ ...works, ...rebases }).find(([file]) => existsSync(join(gitDir, file)))?.[1];
}

// With every unknown file listed, only a repository is still named as a directory.
function isLoose(entry) {
  return entry.startsWith("?? ") && entry.endsWith("/");
}

/** Changes and unknown files of the tree, and apart from them the nested repositories git does not know. */
export function readTree() {
  const entries = listGit("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames");
  return {
    changes: entries.filter((entry) => !isLoose(entry)),
    looseRepositories: entries.filter(isLoose).map((entry) => entry.slice(3)),
  };
}

/** Files that a merge left in conflict. */
export function listConflicts() {
  return listGit("diff", "--name-only", "--diff-filter=U", "-z");
}

/** Where the remote has a branch now; undefined when it has none. */
export function readRemoteTip(name) {
  const ref = `refs/heads/${name}`;
  const lines = git("ls-remote", "--heads", remote, ref).split("\n");
  return lines.map((line) => line.split("\t")).find(([, found]) => found === ref)?.[0];
}

/** Some names in one line, however many there are. */
export function nameSome(names) {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
