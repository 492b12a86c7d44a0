import { expect, test } from "vitest";
import { inWorkspace } from "./site.ts";

const PLAN = {
  plan_id: "novel",
  version: "1",
  variables: { TONE: { default: "formal" } },
  phases: [
    { id: "lines", command: "cat", args: ["lines.jsonl"] },
    {
      id: "translate",
      depends_on: ["lines"],
      shard: { strategy: "chunk", over: "lines", chunk_size: 1 },
      merge: { strategy: "records", key: "id" },
      command: "sed 's/hello/${TONE} hello/' $FANFOLD_INPUT",
      shell: true,
    },
    {
      id: "count",
      depends_on: ["translate"],
      consumes: ["translate"],
      command: "wc -l < $FANFOLD_ARTIFACTS/translate",
      shell: true,
    },
  ],
};

test(
  "a run is changed, previewed, brought up to date and explained from the command line",
  inWorkspace(async (workspace) => {
    await workspace.write("plan.json", PLAN);
    await workspace.write("lines.jsonl", '{"id":1,"t":"hello a"}\n{"id":2,"t":"hello b"}\n');
    await workspace.read("run", "plan.json", "--run-id", "one");
    await workspace.write("lines.jsonl", '{"id":1,"t":"hello a"}\n{"id":2,"t":"hello c"}\n');

    expect(await workspace.read("rerun", "one", "--phase", "lines", "--stale", "--preview")).toBe(
      "runs     lines      asked for\n" +
        "may run  translate  it depends on lines; reused if its inputs are the same\n" +
        "may run  count      it depends on translate; reused if its inputs are the same\n",
    );
    await workspace.read("rerun", "one", "--phase", "lines", "--only");
    const stale = (await workspace.read("history", "one", "--json"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(stale.map(({ phase, revision, stale_cause }) => [phase, revision, stale_cause])).toEqual([
      ["lines", 1, null],
      ["lines", 2, null],
      ["translate", 1, "lines r1 → r2"],
      ["count", 1, "lines r1 → r2"],
    ]);

    await workspace.read("run", "--run", "one");
    const again = await workspace.run("run", "--run", "one");
    expect([again.code, again.stdout, again.stderr]).toEqual([0, "", "run one is up to date: nothing to do\n"]);
    expect(await workspace.read("diff", "one", "translate")).toBe(
      "translate@r1 → translate@r2: 0 added, 0 removed, 1 changed, 1 the same\n" +
        '~ 2\n    - t: "formal hello b"\n    + t: "formal hello c"\n',
    );

    await workspace.read("rerun", "one", "--var", "TONE=casual");
    await workspace.read("run", "plan.json", "--var", "TONE=casual", "--run-id", "two");
    const { phases } = JSON.parse(await workspace.read("compare", "one", "two", "--json"));
    expect(
      phases.map(({ phase, is_same_output }: { phase: string; is_same_output: boolean }) => [phase, is_same_output]),
    ).toEqual([
      ["lines", true],
      ["translate", true],
      ["count", true],
    ]);
    const refused = await workspace.run("rerun", "one");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("nothing says what to run again")]);
    const unknown = await workspace.run("rerun", "one", "--phase", "lnes", "--preview");
    expect([unknown.code, unknown.stdout]).toEqual([5, 'the run has no phase lnes; did you mean "lines"?\n']);
  }),
);
