import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inWorkspace, type Workspace } from "./site.ts";

function filesIn(workspace: Workspace, directory: string): Promise<string[]> {
  return readdir(join(workspace.dir, ".fanfold", directory));
}

async function artifactsOf(workspace: Workspace): Promise<string[]> {
  const groups = await filesIn(workspace, "artifacts/sha256");
  return (await Promise.all(groups.map((group) => filesIn(workspace, `artifacts/sha256/${group}`)))).flat();
}

test(
  "rm and gc remove runs with their records, their content and their files in the workspace",
  inWorkspace(async (workspace) => {
    const command = "yes ${WORD} | head -c 20000";
    await workspace.write("plan.json", {
      plan_id: "words",
      version: "1",
      variables: { WORD: {} },
      phases: [{ id: "a", command, shell: true }],
    });
    for (const word of ["one", "two"]) {
      await workspace.read("run", "plan.json", "--var", `WORD=${word}`, "--run-id", word);
    }
    expect(await artifactsOf(workspace)).toHaveLength(2);

    expect(await workspace.read("rm", "one")).toMatch(
      /^removed one: \d\d keys in Redis, 1 file \(19\.5 KiB\) of the artifact store\n$/,
    );
    expect(await filesIn(workspace, "runs")).toEqual(["two"]);
    expect(await artifactsOf(workspace)).toHaveLength(1);

    const collected = JSON.parse(await workspace.read("gc", "--keep-runs", "0", "--grace-min", "0", "--json"));
    expect(collected).toMatchObject({ dry_run: false, runs: ["two"], skipped: [], files: 1, bytes: 20_000 });
    expect(await artifactsOf(workspace)).toEqual([]);
    expect(await filesIn(workspace, "runs")).toEqual([]);
  }),
);
