import { afterAll, describe, expect, test } from "vitest";
import { unknownLimits } from "../../src/attempt/command-limits.ts";
import { AttemptFixture, failureOf, logText, outputText } from "./attempt-fixture.ts";

const fixture = new AttemptFixture();
afterAll(() => fixture.remove());

describe("a command with limits", () => {
  test("that needs more processor time fails with the limit it reached", async () => {
    const ended = await fixture.sh("while :; do :; done", { phase: { limits: { cpu_sec: 1 } } });
    expect(failureOf(ended)).toMatchObject({
      error_code: "LIMIT_EXCEEDED",
      why: expect.stringMatching(/^cpu limit of 1 s reached/),
      signal: "SIGXCPU",
      next_action: expect.stringContaining("limits.cpu_sec"),
    });
  }, 30_000);

  test("that writes a larger file fails with the limit, also when a shell stands between", async () => {
    const script = "dd if=/dev/zero of=big bs=65536 count=64 2>/dev/null; exit $?";
    const ended = await fixture.sh(script, { phase: { limits: { file_size_mb: 1 } } });
    expect(failureOf(ended)).toMatchObject({
      error_code: "LIMIT_EXCEEDED",
      why: expect.stringMatching(/^file size limit of 1 MiB reached/),
      exit_code: 153,
    });
  });

  test("that needs more memory fails, and is told of the limit", async () => {
    const work = {
      kind: "command",
      command: "dd",
      args: ["if=/dev/zero", "of=/dev/null", "bs=100M", "count=1"],
    } as const;
    const ended = await fixture.run(
      { ...work, args: [...work.args], shell: false },
      { phase: { limits: { memory_mb: 50 } } },
    );
    expect(failureOf(ended)).toMatchObject({
      error_code: "EXIT_NONZERO",
      why: expect.stringContaining("memory"),
      next_action: expect.stringContaining("memory limit of 50 MiB"),
    });
  });

  test("that stays below them works as without, arguments, shell and all", async () => {
    const limits = { memory_mb: 200, cpu_sec: 10, file_size_mb: 10 };
    const args = ["%s|", "a b", "", "$HOME"];
    const plain = { kind: "command", command: "printf", args, shell: false } as const;
    expect(outputText(await fixture.run({ ...plain, args }, { phase: { limits } }))).toBe("a b||$HOME|");
    const line = { kind: "command", command: "echo $FANFOLD_PHASE", args: [], shell: true } as const;
    const ended = await fixture.run({ ...line, args: [] }, { phase: { limits } });
    expect(outputText(ended)).toBe("build\n");
    expect(logText(ended)).toBe("build\n");
  });

  test("that is not there, or may not be executed, fails as without", async () => {
    const phase = { limits: { cpu_sec: 1 } };
    const run = (command: string) => fixture.run({ kind: "command", command, args: [], shell: false }, { phase });
    expect(failureOf(await run("tranzlate")).error_code).toBe("COMMAND_NOT_FOUND");
    fixture.write("plain.txt", "x");
    expect(failureOf(await run("./plain.txt")).error_code).toBe("COMMAND_NOT_EXECUTABLE");
  });
});

test("a limit that a platform does not know is named", () => {
  const limits = { memory_mb: 1, cpu_sec: 1 };
  expect(unknownLimits(limits, "darwin")).toEqual(["memory_mb"]);
  expect(unknownLimits(limits, "linux")).toEqual([]);
});
