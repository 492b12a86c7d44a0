import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runAttempt } from "../../src/attempt/run-attempt.ts";
import { AttemptFixture, examplePhase, failureOf, logText, outputText, succeeded } from "./attempt-fixture.ts";

const fixture = new AttemptFixture();
afterAll(() => fixture.remove());

const report = (...lines: string[]): string =>
  lines.map((line) => `printf '%s\\n' '${line}' >> "$FANFOLD_EVENTS"`).join("\n");

describe("FANFOLD_EVENTS", () => {
  test("events reach the caller while the command runs", async () => {
    const heard = join(fixture.root, "heard");
    const script = `${report('{"type":"progress","completed":1}')}\nuntil [ -e ${heard} ]; do sleep 0.02; done; echo end`;
    const spec = fixture.spec(examplePhase({ kind: "command", command: "sh", args: ["-c", script], shell: false }));
    const onEvent = () => writeFileSync(heard, "");
    const outcome = await runAttempt(spec, { onEvent }, { signal: new AbortController().signal });
    expect(outcome.status).toBe("succeeded");
  });

  test("each type arrives in order, the last line without its newline too", async () => {
    const ended = await fixture.sh(
      `${report(
        '{"type":"progress","completed":1,"unit":"zones"}',
        '{"type":"usage","tokens":12,"model":"m"}',
        '{"type":"log","level":"warn","message":"careful"}',
        '{"type":"spawn","phase":"repair"}',
      )}\nprintf '%s' '{"type":"progress","completed":2}' >> "$FANFOLD_EVENTS"`,
    );
    expect(ended.events).toEqual([
      { type: "progress", progress: { completed: 1, unit: "zones" } },
      { type: "usage", usage: { tokens: 12, model: "m" } },
      { type: "log", level: "warn", message: "careful" },
      { type: "spawn", request: { phase: "repair" } },
      { type: "progress", progress: { completed: 2 } },
    ]);
    expect(logText(ended)).toContain("[warn] careful\n");
  });

  test("lines that are no events are skipped with a warning", async () => {
    const ended = await fixture.sh(`echo ok\n${report("{oops", '{"type":"metric"}', '{"type":"progress"}')}`);
    expect(outputText(ended)).toBe("ok\n");
    expect(logText(ended)).toContain("line 1 of FANFOLD_EVENTS is skipped: not a JSON object");
    expect(logText(ended)).toContain("line 2 of FANFOLD_EVENTS is skipped: type must be one of artifact");
    expect(logText(ended)).toContain('line 3 of FANFOLD_EVENTS is skipped: "completed"');
  });

  test("a flood of bad lines leaves few warnings", async () => {
    const ended = await fixture.sh('seq 5000 >> "$FANFOLD_EVENTS"');
    expect(ended.outcome.status).toBe("succeeded");
    expect(logText(ended).split("\n")).toHaveLength(22);
  });
});

describe("artifacts of a command", () => {
  test("a relative path starts at the working directory", async () => {
    const ended = await fixture.sh(
      `echo made > report.txt\n${report('{"type":"artifact","name":"report","path":"report.txt"}')}`,
    );
    const file = join(fixture.planDir, "report.txt");
    expect(succeeded(ended).artifacts).toEqual([{ name: "report", file }]);
    expect(readFileSync(file, "utf8")).toBe("made\n");
    expect(ended.events).toEqual([{ type: "artifact", name: "report", path: file }]);
  });

  test("the last file reported under a name counts", async () => {
    const ended = await fixture.sh(
      `echo 2 > second.txt\n${report(
        '{"type":"artifact","name":"report","path":"first.txt"}',
        '{"type":"artifact","name":"report","path":"second.txt"}',
      )}`,
    );
    expect(succeeded(ended).artifacts).toEqual([{ name: "report", file: join(fixture.planDir, "second.txt") }]);
  });

  test("a name the phase does not provide fails the attempt, naming the line and the allowed ones", async () => {
    const failure = failureOf(await fixture.sh(report('{"type":"artifact","name":"reprot","path":"x"}')));
    expect(failure.error_code).toBe("ARTIFACT_UNDECLARED");
    expect(failure.why).toBe(
      'line 1 of FANFOLD_EVENTS: artifact "reprot" is not one that phase build provides: "built", "report"',
    );
  });

  test.each([
    ['{"type":"artifact","name":"report"}', '"path"'],
    ['{"type":"artifact","name":"report","path":', "not a JSON object"],
  ])("the line %s fails the attempt", async (line, why) => {
    const failure = failureOf(await fixture.sh(report('{"type":"log","message":"hi"}', line)));
    expect(failure).toMatchObject({ error_code: "ARTIFACT_INVALID", why: expect.stringContaining("line 2 of") });
    expect(failure.why).toContain(why);
  });

  test.each(["nowhere.txt", "."])("the path %s, which is no regular file, fails the attempt", async (path) => {
    const failure = failureOf(await fixture.sh(report(`{"type":"artifact","name":"report","path":"${path}"}`)));
    expect(failure).toMatchObject({ error_code: "ARTIFACT_MISSING", why: expect.stringContaining('"report"') });
  });

  test("a failing exit code counts before a bad artifact", async () => {
    const script = `${report('{"type":"artifact","name":"x","path":"x"}')}\nexit 9`;
    expect(failureOf(await fixture.sh(script))).toMatchObject({ error_code: "EXIT_NONZERO", exit_code: 9 });
  });

  test("an artifact under the name of the output is the output", async () => {
    const line = report('{"type":"artifact","name":"built","path":"built.txt"}');
    const ended = await fixture.sh(`echo chatter; echo built > built.txt\n${line}`);
    expect(outputText(ended)).toBe("built\n");
    expect(succeeded(ended).artifacts).toEqual([]);
    const twice = await fixture.sh(`echo built > built.txt; echo x > $FANFOLD_OUTPUT\n${line}`);
    expect(failureOf(twice).error_code).toBe("ARTIFACT_CONFLICT");
  });
});
