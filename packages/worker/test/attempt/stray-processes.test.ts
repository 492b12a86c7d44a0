import { afterAll, describe, expect, test } from "vitest";
import { AttemptFixture } from "./attempt-fixture.ts";
import { runAttempt } from "../../src/attempt/run-attempt.ts";
import { examplePhase } from "./attempt-fixture.ts";

const fixture = new AttemptFixture();
afterAll(() => fixture.remove());

/** Runs a script. @returns whether it is known that nothing of it is left */
async function leavesNobody(script: string): Promise<boolean> {
  let isClear = false;
  const spec = fixture.spec(examplePhase({ kind: "command", command: "sh", args: ["-c", script], shell: false }));
  const onClear = (): void => {
    isClear = true;
  };
  await runAttempt(spec, { onClear }, { signal: new AbortController().signal });
  return isClear;
}

/** Many processes that somebody else starts meanwhile make it look like one, so it is tried again. */
async function everLeavesNobody(script: string): Promise<boolean> {
  for (let i = 0; i < 20; i += 1) if (await leavesNobody(script)) return true;
  return false;
}

const QUIET = "</dev/null >/dev/null 2>&1 &";

describe.runIf(process.platform === "linux")("of a command is known that nothing is left", () => {
  test("when it and its children have ended", async () => {
    expect(await everLeavesNobody("true; sh -c 'exit 0'; exit 3")).toBe(true);
  });

  test.each([
    ["that left its group for a session of its own", `setsid sleep 2 ${QUIET}`],
    ["without its environment, too", `env -i setsid sleep 2 ${QUIET} sleep 0.05`],
    ["that a process of a session of its own left behind", `setsid sh -c 'sleep 2 &' ${QUIET} sleep 0.05`],
    ["that left its group, but not its session", `set -m; sleep 2 ${QUIET}`],
  ])("but not when there is a process %s", async (_what, script) => {
    expect(await leavesNobody(script)).toBe(false);
  });

  test("but not when it took so long that ids of processes may have begun anew", async () => {
    expect(await leavesNobody("sleep 1.1")).toBe(false);
  });

  test("but not when something was in the background", async () => {
    expect(await leavesNobody("sleep 100 &")).toBe(false);
  });
});
