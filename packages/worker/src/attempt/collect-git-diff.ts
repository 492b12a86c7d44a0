import { copyFile, mkdir, open } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { AttemptError, describeError } from "./attempt-error.ts";
import type { AttemptArtifact } from "./attempt-spec.ts";
import { inheritedEnv } from "./inherited-env.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import { permitCommand } from "./worker-rules.ts";

/** Name of the artifact. */
const NAME = "git_diff";
/** Most bytes of a diff. */
const MAX_DIFF_BYTES = 64 * 1024 * 1024;
/** Longest time of each call of git, in ms. */
const GIT_MS = 60_000;
/** The tree without files, for a repository without a commit. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
/** Nothing of the repository's or the user's settings may run a program or change the text. */
const SETTINGS = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=true"];

/**
 * Writes the difference between the last commit and the working tree below a directory, new files included. The index of
 * the repository stays as it is.
 *
 * @param cwd real path of the working directory
 * @throws {AttemptError} COLLECT_FAILED where there is no working tree, or git fails; COLLECT_LIMIT
 */
export async function collectGitDiff(attempt: RunningAttempt, cwd: string): Promise<AttemptArtifact> {
  const { spec, files } = attempt;
  const git = await Git.open(attempt, cwd);
  const index = join(files.collectedDir, "git-index");
  await mkdir(dirname(index), { recursive: true });
  const ownIndex = resolve(cwd, await git.read(["rev-parse", "--git-path", "index"]));
  await copyFile(ownIndex, index).catch(() => undefined);
  const env = { GIT_INDEX_FILE: index };
  await git.read(["add", "--intent-to-add", "--", "."], env);
  const base = (await git.has("HEAD")) ? "HEAD" : EMPTY_TREE;
  const file = join(files.collectedDir, "git-diff");
  const options = ["--no-color", "--no-ext-diff", "--no-textconv", "--binary", "--no-renames"];
  await git.write(["diff", ...options, base, "--", "."], file, env);
  attempt.log.note(`collected the diff of ${spec.phase.cwd} as ${NAME}`);
  return { name: NAME, file };
}

class Git {
  readonly #attempt: RunningAttempt;
  readonly #program: string;
  readonly #cwd: string;

  private constructor(attempt: RunningAttempt, program: string, cwd: string) {
    this.#attempt = attempt;
    this.#program = program;
    this.#cwd = cwd;
  }

  static async open(attempt: RunningAttempt, cwd: string): Promise<Git> {
    const program = await permitCommand(attempt.spec, { kind: "command", command: "git", args: [], shell: false }, cwd);
    return new Git(attempt, program, cwd);
  }

  /** What a call writes. @throws {AttemptError} COLLECT_FAILED */
  async read(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { stdout } = await this.#run(args, env);
    return typeof stdout === "string" ? stdout.trim() : "";
  }

  /** Whether a revision is there. */
  async has(revision: string): Promise<boolean> {
    return this.read(["rev-parse", "--verify", "--quiet", revision]).then(
      () => true,
      () => false,
    );
  }

  /** Writes what a call writes to a file. */
  async write(args: readonly string[], path: string, env: Readonly<Record<string, string>>): Promise<void> {
    const file = await open(path, "w");
    try {
      const running = this.#start(args, env, { buffer: false });
      let left = MAX_DIFF_BYTES;
      for await (const chunk of running.iterable({ from: "stdout", binary: true, preserveNewlines: true })) {
        const bytes: Uint8Array = chunk;
        left -= bytes.byteLength;
        if (left < 0) {
          running.kill("SIGKILL");
          throw new AttemptError("COLLECT_LIMIT", `the diff has more than ${MAX_DIFF_BYTES / 1024 ** 2} MiB`, {
            next_action: "leave what is made out of the repository with .gitignore",
          });
        }
        await file.appendFile(bytes);
      }
      await running;
    } catch (error) {
      throw this.#failure(error);
    } finally {
      await file.close();
    }
  }

  async #run(args: readonly string[], env: Readonly<Record<string, string>>) {
    try {
      return await this.#start(args, env, {});
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #start(args: readonly string[], env: Readonly<Record<string, string>>, options: { buffer?: false }) {
    const { spec, stop } = this.#attempt;
    return execa(this.#program, [...SETTINGS, ...args], {
      cwd: this.#cwd,
      env: { ...inheritedEnv(process.env, spec.rules?.passedEnv ?? []), ...FIXED_ENV, ...env },
      extendEnv: false,
      stdin: "ignore",
      timeout: GIT_MS,
      cancelSignal: stop.signal,
      maxBuffer: 64 * 1024,
      ...options,
    });
  }

  #failure(error: unknown): AttemptError {
    if (error instanceof AttemptError) return error;
    if (this.#attempt.stop.status !== null) return this.#attempt.stop.error();
    const said = error instanceof Error && "stderr" in error && typeof error.stderr === "string" ? error.stderr : "";
    const why = said.trim() === "" ? describeError(error) : said.trim();
    return new AttemptError("COLLECT_FAILED", `collect: git_diff: ${why}`, {
      next_action: `let cwd of phase ${this.#attempt.spec.phase.id} be in a git working tree, and git be on the worker's PATH`,
    });
  }
}

const FIXED_ENV = { LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", GIT_PAGER: "cat" };
