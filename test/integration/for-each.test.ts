import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Deployment } from "@fanfold/testkit";
import type { PlanInput } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

type Phase = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** Runs a phase for each item of a text; gives the status of the run and the output of the phase. */
async function runEach(deployment: Deployment, text: string, fields: Partial<Phase>): Promise<string> {
  // in base64, so that nothing of it means anything to the plan
  const encoded = Buffer.from(text).toString("base64");
  const run = await deployment.run({
    plan_id: "each",
    version: "1",
    phases: [
      { id: "list", command: "echo $TEXT | base64 -d", shell: true, env: { TEXT: encoded } },
      { id: "each", depends_on: ["list"], for_each: "list", ...fields },
    ],
  });
  const phases = await deployment.store.runs.loadPhases(run.run_id);
  const each = phases.get("each");
  return each?.status === "succeeded" ? (each.artifacts?.[0]?.inline ?? "") : JSON.stringify(each?.cause);
}

describe("for_each", () => {
  test(
    "runs a phase once for each item, and puts the outputs together in the order of the items",
    withDeployment(async (deployment) => {
      const text = '["plain", {"a": 1}, "x; $(exit 3) \\"`\'", "{{index}} ${secret:NONE}", 5]';
      const output = await runEach(deployment, text, {
        command: "echo",
        args: ["{{index}}={{item}}"],
        env: { SAME: "{{item}}" },
      });
      expect(output).toBe('0=plain\n1={"a":1}\n2=x; $(exit 3) "`\'\n3={{index}} ${secret:NONE}\n4=5\n');
    }),
  );

  test(
    "gives a shell the item as a variable that it does not run",
    withDeployment(async (deployment) => {
      const output = await runEach(deployment, "a b, $(exit 3)\n`exit 4`;exit 5", {
        shell: true,
        command: 'printf "%s|%s|%s\\n" "$FANFOLD_ITEM" "$FANFOLD_ITEM_INDEX" "$OWN"',
        env: { OWN: "<{{item}}>" },
      });
      expect(output).toBe("a b, $(exit 3)|0|<a b, $(exit 3)>\n`exit 4`;exit 5|1|<`exit 4`;exit 5>\n");
    }),
  );

  test(
    "succeeds with an empty output when there is nothing to do",
    withDeployment(async (deployment) => {
      expect(await runEach(deployment, " \n", { command: "echo", args: ["{{item}}"] })).toBe("");
    }),
  );

  test(
    "leaves an item that no environment holds to the file of the shard's input",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "big",
        version: "1",
        phases: [
          { id: "big", command: "head", args: ["-c", "150000", "/dev/zero"] },
          {
            id: "text",
            command: "tr '\\0' x < $FANFOLD_ARTIFACTS/big",
            shell: true,
            depends_on: ["big"],
            consumes: ["big"],
          },
          {
            id: "each",
            shell: true,
            command: 'echo "${FANFOLD_ITEM-none} $(wc -c < "$FANFOLD_INPUT")"',
            depends_on: ["text"],
            for_each: "text",
          },
        ],
      });
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("each")?.artifacts?.[0]?.inline).toBe("none 150003\n");
    }),
  );

  test(
    "hands a handler its item, and keeps a working directory named by one inside the workspace",
    withDeployment(async (deployment) => {
      await mkdir(join(deployment.dir, "inner"));
      await writeFile(
        join(deployment.dir, "h.mjs"),
        "export default ({ item, items, run }) => [{ ...item, n: items.length, at: run.shard_index }];",
      );
      const records = '{"dir":"inner"}\n{"dir":".."}';
      const merge = { strategy: "records" } as const;
      const handled = await runEach(deployment, records, { handler: "h.mjs", merge });
      expect(handled).toBe('{"dir":"inner","n":1,"at":0}\n{"dir":"..","n":1,"at":1}\n');
      expect(await runEach(deployment, "inner", { command: "pwd", cwd: "{{item}}" })).toMatch(/\/inner\n$/);
      expect(await runEach(deployment, "../..", { command: "pwd", cwd: "{{item}}" })).toContain("shards_failed");
    }),
  );

  test(
    "fails before it starts where the items are not text",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "bytes",
        version: "1",
        phases: [
          { id: "list", command: "printf", args: ["\\377"] },
          { id: "each", command: "echo", depends_on: ["list"], for_each: "list" },
        ],
      });
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("each")).toMatchObject({
        status: "failed",
        cause: { message: "the items are not valid UTF-8" },
      });
    }),
  );
});
