import { expect, test } from "vitest";
import { inWorkspace } from "./site.ts";

const PLAN = `plan_id: words
version: "1"
phases:
  - id: upper
    handler: upper.mjs
    cache: true
    shard: { strategy: chunk, over: [{ word: one }, { word: two }], chunk_size: 1 }
`;

const handler = (mark: string): string =>
  `import { mark } from "./mark.mjs"; export default ({ items }) => items.map(({ word }) => ({ word: word + mark + "${mark}" }));`;

test(
  "a second run takes the outputs of the first over, and says what keeps a third from it",
  inWorkspace(async (workspace) => {
    await workspace.write("plan.yaml", PLAN);
    await workspace.write("mark.mjs", 'export const mark = "!";');
    await workspace.write("upper.mjs", handler("?"));
    await workspace.read("run", "plan.yaml", "--run-id", "first");
    const second = await workspace.run("run", "plan.yaml", "--run-id", "second");
    expect(second.stdout).toMatch(/shards +2 of 2 succeeded, 2 reused/);
    expect(second.stderr).toContain("upper[0] reused from first/upper[0]");
    await workspace.write("mark.mjs", 'export const mark = "!!";');
    await workspace.read("run", "plan.yaml", "--run-id", "third");
    const why = await workspace.read("why", "--reuse", "third", "upper", "1");
    expect(why).toBe(
      ["upper: 0 of 2 shards reused", "upper[1]: differs from second in code (mark.mjs)", ""].join("\n"),
    );
    const refused = await workspace.run("run", "plan.yaml", "--refresh", "uper");
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("--refresh: the plan has no phase uper; it has upper");
    const fourth = await workspace.run("run", "plan.yaml", "--run-id", "fourth", "--no-cache");
    expect(fourth.stdout).toMatch(/shards +2 of 2 succeeded\n/);
  }),
);
