import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

describe("a prompt", () => {
  test(
    "of a retry is the original one with how the last attempt failed, and with nothing of the ones before",
    withDeployment(async (deployment) => {
      const script = `
        cp "$FANFOLD_PROMPT" "prompt.$FANFOLD_ATTEMPT"; cp "$FANFOLD_ORIGINAL_PROMPT" "original.$FANFOLD_ATTEMPT"
        rm -f "$FANFOLD_ORIGINAL_PROMPT"; echo changed > "$FANFOLD_ORIGINAL_PROMPT"
        seq 1 9000; printf '\\033[31mlast words of %s\\n' "$FANFOLD_ATTEMPT"; exit $((3 - FANFOLD_ATTEMPT))`;
      const run = await deployment.run({
        plan_id: "agent",
        version: "1",
        variables: { TASK: { default: "Mend it" } },
        phases: [
          {
            id: "work",
            command: "sh",
            args: ["-c", script],
            prompt: "${TASK}.\n",
            retries: 2,
            retry_delay_sec: 0,
            retry_strategy: { include_context: true, context_instruction: "Look at what went wrong." },
          },
        ],
      });
      expect(run.status).toBe("succeeded");
      const read = (name: string): Promise<string> => readFile(join(deployment.dir, name), "utf8");
      expect(await read("prompt.1")).toBe("Mend it.\n");
      const [second, third] = await Promise.all([read("prompt.2"), read("prompt.3")]);
      expect(second).toMatch(
        /^Mend it\.\n\nLook at what went wrong\.\n\nAttempt 1 failed: [\s\S]*\n\nThe end of its output:\n\n\d+\n[\s\S]*\n9000\nlast words of 1\n$/,
      );
      expect(second.length).toBeLessThan(20_000);
      expect(third).toContain("Attempt 2 failed");
      expect(third).toMatch(/last words of 2\n$/);
      expect(third).not.toContain("words of 1");
      for (const attempt of [1, 2, 3]) expect(await read(`original.${attempt}`)).toBe("Mend it.\n");
    }),
  );

  test(
    "after a lost worker has what that one had shown",
    withDeployment(
      async (deployment) => {
        const { store } = deployment;
        const runId = await deployment.submit({
          plan_id: "lost",
          version: "1",
          phases: [
            {
              id: "work",
              command: 'cat "$FANFOLD_PROMPT"',
              shell: true,
              prompt: "Go on.",
              retry_strategy: { include_context: true },
            },
          ],
        });
        const ref = { phase: "work", revision: 1, shard: 0 };
        const start = { worker: "ghost", starts: 0, reopened: false, lossLimit: 3 };
        await eventually(async () => {
          const reply = await store.ledger.startShard(runId, ref, { ...start, nowMs: Date.now() });
          expect(reply.verdict).toBe("run");
        });
        await store.logs.append(runId, ref, 1, "half of it\n");
        await deployment.addWorker();
        await deployment.ended(runId);
        const output = (await store.runs.loadPhases(runId)).get("work")?.artifacts?.[0]?.inline;
        expect(output).toMatch(/^Go on\.\n\n[\s\S]*\n\nAttempt 1 failed: its worker was lost\n\n.*\n\nhalf of it\n$/);
      },
      { workers: 0 },
    ),
  );

  test(
    "reaches a handler, with the item in it",
    withDeployment(async (deployment) => {
      const source = "export default ({ prompt, original_prompt }) => `${prompt}|${original_prompt}\\n`;";
      await writeFile(join(deployment.dir, "h.mjs"), source);
      const run = await deployment.run({
        plan_id: "items",
        version: "1",
        phases: [
          { id: "list", command: "printf", args: ["a {{index}}\\nb"] },
          { id: "each", handler: "h.mjs", depends_on: ["list"], for_each: "list", prompt: "{{index}}: {{item}}" },
        ],
      });
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("each")?.artifacts?.[0]?.inline).toBe("0: a {{index}}|0: a {{index}}\n1: b|1: b\n");
    }),
  );

  test(
    "cannot be changed by an event: the attempt fails",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "event",
        version: "1",
        phases: [
          {
            id: "work",
            command: `echo '{"type":"original_prompt","text":"other"}' >> "$FANFOLD_EVENTS"`,
            shell: true,
            prompt: "This.",
          },
        ],
      });
      expect(run.status).toBe("failed");
      const ref = { phase: "work", revision: 1, shard: 0 };
      const record = await deployment.store.ledger.findShard(run.run_id, ref);
      expect(record?.failure?.error_code).toBe("PROMPT_IMMUTABLE");
    }),
  );
});
