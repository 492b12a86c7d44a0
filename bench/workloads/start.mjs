import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FANFOLD = fileURLToPath(new URL("../../packages/cli/bin/fanfold.js", import.meta.url));
const PLAN = 'plan_id: one\nversion: "1"\nphases:\n  - id: a\n    command: "true"\n';

/** One command on the embedded Redis, from the shell and back. */
export const w5 = [
  {
    id: "W5:cold",
    title: "`fanfold run` of one command, new data directory",
    must: { ms: 1_200 },
    prepare: (bench) => prepareStart(bench, (dir) => rm(join(dir, ".fanfold"), { recursive: true, force: true })),
  },
  {
    id: "W5:warm",
    title: "`fanfold run` of one command",
    must: { ms: 600 },
    aim: { ms: 350 },
    prepare: (bench) => prepareStart(bench, async () => undefined),
  },
];

async function prepareStart({ dir }, beforeEach) {
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
}

async function time(cwd, command, args) {
  const { REDIS_URL: _redis, ...env } = process.env;
  const startedAt = performance.now();
  const [code] = await once(spawn(command, args, { cwd, env, stdio: "ignore" }), "close");
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
  return { ms: performance.now() - startedAt };
}
