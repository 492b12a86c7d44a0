import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type WorkerRules, NO_RULES } from "../../src/attempt/worker-rules.ts";
import { AttemptFixture, type EndedAttempt, failureOf, outputText } from "./attempt-fixture.ts";

const fixture = new AttemptFixture();
afterAll(() => fixture.remove());

interface CommandCase {
  readonly command: string;
  readonly args?: string[];
  readonly shell?: boolean;
  readonly env?: Record<string, string>;
}

function run(rules: Partial<WorkerRules>, { command, args = [], shell = false, env = {} }: CommandCase) {
  const work = { kind: "command", command, args, shell } as const;
  return fixture.run(work, { phase: { env }, spec: { rules: { ...NO_RULES, ...rules } } });
}

function codeOf(ended: EndedAttempt): string {
  return ended.outcome.status === "succeeded" ? "succeeded" : failureOf(ended).error_code;
}

describe("a worker that allows some commands", () => {
  const rules = { allowedCommands: ["echo", "/usr/bin/env", "plans/tool.sh"] };

  test("runs those, by name or by path", async () => {
    chmodSync(fixture.write("tool.sh", "#!/bin/sh\necho tool\n"), 0o755);
    expect(outputText(await run(rules, { command: "echo", args: ["hi"] }))).toBe("hi\n");
    expect(codeOf(await run(rules, { command: "env" }))).toBe("succeeded");
    expect(codeOf(await run(rules, { command: "/usr/bin/env" }))).toBe("succeeded");
    expect(outputText(await run(rules, { command: "./tool.sh" }))).toBe("tool\n");
  });

  test("refuses every other one, with what it allows", async () => {
    const failure = failureOf(await run(rules, { command: "cat", args: ["/etc/passwd"] }));
    expect(failure).toMatchObject({
      error_code: "COMMAND_NOT_ALLOWED",
      why: 'command "cat" is not allowed on this worker, which allows: echo, /usr/bin/env, plans/tool.sh',
    });
    expect(codeOf(await run(rules, { command: "nowhere" }))).toBe("COMMAND_NOT_ALLOWED");
    expect(codeOf(await run(rules, { command: "./echo" }))).toBe("COMMAND_NOT_ALLOWED");
  });

  test("does not take a program of the plan's PATH for one of its own", async () => {
    chmodSync(fixture.write("echo", "#!/bin/sh\n/bin/echo another\n"), 0o755);
    const ended = await run(rules, { command: "echo", args: ["own"], env: { PATH: fixture.planDir } });
    expect(outputText(ended)).toBe("own\n");
    fixture.write("later", "#!/bin/sh\n");
    chmodSync(join(fixture.planDir, "later"), 0o755);
    const later = { command: "later", env: { PATH: fixture.planDir } };
    expect(codeOf(await run({ allowedCommands: ["later"] }, later))).toBe("COMMAND_NOT_FOUND");
  });

  test("does not take a link to an allowed program for that program", async () => {
    symlinkSync("/bin/cat", join(fixture.planDir, "linked"));
    expect(codeOf(await run({ allowedCommands: ["cat"] }, { command: "./linked" }))).toBe("COMMAND_NOT_ALLOWED");
  });

  test("refuses a shell line unless it allows the shell", async () => {
    const line = { command: "echo hi", shell: true };
    expect(failureOf(await run(rules, line)).why).toMatch(/^shell: true is not allowed/);
    for (const name of ["sh", "shell", "/bin/sh"]) {
      expect(outputText(await run({ allowedCommands: [name] }, line))).toBe("hi\n");
    }
  });
});

describe("a worker with a directory for handlers", () => {
  const dir = join(fixture.planDir, "handlers");
  const handle = (handler: string) =>
    fixture.run({ kind: "handler", handler }, { spec: { rules: { ...NO_RULES, handlersDir: dir } } });

  test("loads handlers from inside it, and no others, also not through a link", async () => {
    mkdirSync(dir, { recursive: true });
    fixture.write("handlers/inside.mjs", "export default () => 1");
    fixture.write("outside.mjs", "export default () => 1");
    symlinkSync(join(fixture.planDir, "outside.mjs"), join(dir, "linked.mjs"));
    expect(codeOf(await handle("handlers/inside.mjs"))).toBe("succeeded");
    expect(failureOf(await handle("outside.mjs"))).toMatchObject({
      error_code: "HANDLER_NOT_ALLOWED",
      why: `handler "outside.mjs" is not in ${dir}, where this worker has its`,
    });
    expect(codeOf(await handle("handlers/linked.mjs"))).toBe("HANDLER_NOT_ALLOWED");
  });
});
