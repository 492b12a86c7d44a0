import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FANFOLD = fileURLToPath(new URL("../../packages/cli/bin/fanfold.js", import.meta.url));
const PLAN = 'plan_id: one\nversion: "1"\nphases:\n  - id: a\n    command: "true"\n';

/** One command on the embedded Redis, from the shell and back. */
export const w5 = [
  startWorkload("W5 cold", "`fanfold run` of one command, new data directory", "≤ 1.2 s", async (dir) => {
    await rm(join(dir, ".fanfold"), { recursive: true, force: true });
  }),
  startWorkload("W5 warm", "`fanfold run` of one command", "≤ 0.6 s", async () => undefined),
];

function startWorkload(id, title, must, beforeEach) {
  return {
    id,
    title,
    baseline: "make",
    must,
    aim: "≤ 0.35 s warm",
    async prepare({ dir }) {
      const project = join(dir, "project");
      await mkdir(project);
      await writeFile(join(project, "plan.yaml"), PLAN);
      await writeFile(join(project, "Makefile"), "all:\n\t@true\n");
      return {
        async fanfold() {
          await beforeEach(project);
          return time(project, process.execPath, [FANFOLD, "run", "plan.yaml"]);
        },
        make: () => time(project, "make", ["-s"]),
        "node -e 0": () => time(project, process.execPath, ["-e", "0"]),
      };
    },
  };
}

async function time(cwd, command, args) {
  const { REDIS_URL: _redis, ...env } = process.env;
  const startedAt = performance.now();
  const [code] = await once(spawn(command, args, { cwd, env, stdio: "ignore" }), "close");
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
  return { ms: performance.now() - startedAt };
}
