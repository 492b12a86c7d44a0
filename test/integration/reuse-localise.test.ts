import { cp, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chooseReuse, compilePlanText, formatProblem } from "@fanfold/core";
import { hashCode } from "@fanfold/engine";
import type { Deployment } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();
const EXAMPLE = join(import.meta.dirname, "../../examples/localise");
const LANGUAGES = ["spanish", "french", "german"];
/** Lines of a script that is made up, in scenes of four; 0 for that of the example. */
const LINES = Number(process.env["FANFOLD_TEST_LINES"] ?? 0);
const LINES_A_SCENE = 4;

declare global {
  var fanfoldExecuted: string[];
}

/** The example in the workspace of a deployment; its handlers put down each time they are executed. */
async function copyExample(site: Deployment): Promise<void> {
  await cp(EXAMPLE, site.dir, { recursive: true });
  const dir = join(site.dir, "handlers");
  for (const file of await readdir(dir)) {
    if (!/export default (async )?function/.test(await readFile(join(dir, file), "utf8"))) continue;
    await rename(join(dir, file), join(dir, `own-${file}`));
    const wrapper = `import own from "./own-${file}";
export default (ctx) => {
  globalThis.fanfoldExecuted.push(ctx.run.run_id + " " + ctx.run.phase + "[" + ctx.run.shard_index + "]");
  return own(ctx);
};
`;
    await writeFile(join(dir, file), wrapper);
  }
  if (LINES > 0) await writeFile(join(site.dir, "script.txt"), madeUpScript());
}

function madeUpScript(): string {
  const scenes = Array.from({ length: LINES / LINES_A_SCENE }, (_, scene) => {
    const lines = Array.from(Array(LINES_A_SCENE).keys(), (i) => `MIRA: The lamp says ${scene} and ${i} to the sea.`);
    return [`== scene-${scene} | common`, ...lines].join("\n");
  });
  return `${scenes.join("\n")}\n`;
}

interface Played {
  readonly hashes: Record<string, string>;
  readonly executed: string[];
  readonly seconds: number;
}

async function localise(site: Deployment, noCache: boolean): Promise<Played> {
  const compiled = compilePlanText({ text: await readFile(join(site.dir, "plan.yaml"), "utf8"), file: "plan.yaml" });
  if (!compiled.ok) throw new Error(compiled.problems.map(formatProblem).join("\n"));
  const { plan, warnings } = await hashCode(chooseReuse(compiled.plan, { noCache }).plan, site.dir);
  expect(warnings).toEqual([]);
  const before = globalThis.fanfoldExecuted.length;
  const { runId } = await site.engine.submit(plan);
  for await (const { event } of site.store.journal.follow(runId, 0, { signal: AbortSignal.timeout(900_000) })) {
    if (event === "run_succeeded") break;
    if (event === "run_failed") throw new Error(await site.story(runId));
  }
  const run = await site.store.runs.get(runId);
  const phases = await site.store.runs.loadPhases(runId);
  return {
    hashes: Object.fromEntries(
      [...phases].flatMap(([id, { artifacts = [] }]) => artifacts.map(({ name, sha256 }) => [`${id} ${name}`, sha256])),
    ),
    executed: globalThis.fanfoldExecuted.slice(before).map((line) => line.replace(`${runId} `, "")),
    seconds: ((run.finished_at_ms ?? 0) - (run.started_at_ms ?? 0)) / 1000,
  };
}

/** Shards of a phase that were executed, in each language apart. */
function shardsOf({ executed }: Played, phase: string): number[] {
  const own = executed.filter((place) => place.startsWith(`${phase}[`));
  return own.map((place) => Number(/\[(\d+)\]$/.exec(place)?.[1])).sort((a, b) => a - b);
}

function tell(what: string, { executed, seconds }: Played): void {
  if (LINES > 0) process.stdout.write(`${what}: ${executed.length} executions, ${seconds.toFixed(1)} s\n`);
}

test(
  "a changed line of the localise example runs the shards that hold it, and what depends on what they made",
  { timeout: 900_000 },
  withDeployment(
    async (site) => {
      globalThis.fanfoldExecuted = [];
      await copyExample(site);
      const first = await localise(site, false);
      tell("first run", first);
      const again = await localise(site, false);
      tell("nothing changed", again);
      expect(again).toMatchObject({ executed: [], hashes: first.hashes });
      const script = join(site.dir, "script.txt");
      const text = await readFile(script, "utf8");
      // neither the speakers nor the tone of its scene change, and it has no term of the glossary
      const line =
        LINES === 0 ? "The last ferry of the season leaves without waving." : "MIRA: The lamp says 7 and 1 to the sea.";
      expect(text).toContain(line);
      await writeFile(script, text.replace(line, line.replace(/leaves|says/, "shouts")));
      const warm = await localise(site, false);
      tell("one line changed", warm);
      const each = (shard: number): number[] => LANGUAGES.map(() => shard);
      const scene = LINES === 0 ? 0 : 7;
      const lineNumber = LINES === 0 ? 0 : scene * LINES_A_SCENE + 1;
      expect(shardsOf(warm, "ingest")).toEqual([0]);
      expect(shardsOf(warm, "context")).toEqual([scene]);
      expect(shardsOf(warm, "pretranslation")).toEqual(each(Math.floor(lineNumber / 20)));
      expect(shardsOf(warm, "translate")).toEqual(each(scene));
      expect(shardsOf(warm, "edit")).toEqual(each(Math.floor(scene / 2)));
      expect(shardsOf(warm, "export")).toEqual(each(0));
      // it reads all lines, so all of it depends on them
      expect(shardsOf(warm, "qa")).toEqual(shardsOf(first, "qa"));
      const cold = await localise(site, true);
      tell("the same without reuse", cold);
      expect(cold.executed).toHaveLength(first.executed.length);
      expect(warm.hashes).toEqual(cold.hashes);
      expect(warm.hashes).not.toEqual(first.hashes);
    },
    { concurrency: 8 },
  ),
);
