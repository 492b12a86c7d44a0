import { mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runAttempt } from "../../src/attempt/run-attempt.ts";
import {
  AttemptFixture,
  examplePhase,
  failureOf,
  isRunning,
  logText,
  outputText,
  succeeded,
} from "./attempt-fixture.ts";

const fixture = new AttemptFixture();
afterAll(() => fixture.remove());

const MB = 1024 * 1024;

const command = (name: string, args: string[] = []) =>
  fixture.run({ kind: "command", command: name, args, shell: false });

const pidsOf = (text: string): number[] => [...text.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]));

const rejectOutput = () => Promise.reject(new Error("line 2 is not JSON"));

describe("exit", () => {
  test("exit code 0 is a success whose output is stdout", async () => {
    const ended = await fixture.sh("echo out; echo err >&2");
    expect(outputText(ended)).toBe("out\n");
    expect(succeeded(ended).artifacts).toEqual([]);
    expect(ended.text.split("\n").sort()).toEqual(["", "err", "out"]);
    expect(logText(ended)).toBe(ended.text);
  });

  test("another exit code is a failure that quotes the last lines of stderr", async () => {
    const failure = failureOf(await fixture.sh("echo fine; echo first >&2; echo 'no such zone' >&2; exit 3"));
    expect(failure).toMatchObject({ error_code: "EXIT_NONZERO", exit_code: 3 });
    expect(failure.why).toBe("exited with code 3; stderr ended with:\nfirst\nno such zone");
    expect(failure.next_action).toContain("fanfold logs");
  });

  test("a failure quotes stdout when nothing is on stderr", async () => {
    expect(failureOf(await fixture.sh("echo 'it broke'; exit 1")).why).toBe("exited with code 1: it broke");
  });

  test("a failure without output says so", async () => {
    expect(failureOf(await fixture.sh("exit 1")).why).toBe("exited with code 1 without a word on stderr or stdout");
  });

  test("a command killed by a signal from elsewhere fails with the signal", async () => {
    const failure = failureOf(await fixture.sh("kill -9 $$"));
    expect(failure).toMatchObject({ error_code: "KILLED", signal: "SIGKILL" });
    expect(failure.next_action).toContain("memory");
  });

  test("stdin is empty, so a command that reads it ends", async () => {
    expect(outputText(await fixture.sh("cat; echo end"))).toBe("end\n");
  });
});

describe("start", () => {
  test("a command that is not on PATH is named, with the PATH", async () => {
    const failure = failureOf(await command("no-such-command"));
    expect(failure.error_code).toBe("COMMAND_NOT_FOUND");
    expect(failure.why).toContain('"no-such-command"');
    expect(failure.why).toContain("/usr/bin");
  });

  test("a command given by a path is looked for in the working directory", async () => {
    const failure = failureOf(await command("./missing.sh"));
    expect(failure).toMatchObject({
      error_code: "COMMAND_NOT_FOUND",
      why: expect.stringContaining(`in ${fixture.planDir}`),
    });
  });

  test("a file that may not be executed is told from one that is missing", async () => {
    fixture.write("plain.sh", "echo hi\n");
    expect(failureOf(await command("./plain.sh")).error_code).toBe("COMMAND_NOT_EXECUTABLE");
  });

  test("arguments longer than the system allows are a clear failure", async () => {
    expect(failureOf(await command("echo", ["x".repeat(4 * MB)])).error_code).toBe("ARGUMENTS_TOO_LONG");
  });

  test("a null byte in an argument is a failure, not a crash", async () => {
    expect(failureOf(await command("echo", ["a\0b"])).error_code).toBe("SPAWN_FAILED");
  });

  test("arguments are passed as they are without a shell", async () => {
    expect(outputText(await command("printf", ["%s|", "a b", "$HOME", "*"]))).toBe("a b|$HOME|*|");
  });

  test("with shell the command is a line of the shell, its arguments appended", async () => {
    const ended = await fixture.run({
      kind: "command",
      command: "echo $((6 * 7))",
      args: ["|", "tr", "4", "5"],
      shell: true,
    });
    expect(outputText(ended)).toBe("52\n");
  });
});

describe("working directory", () => {
  test("is the phase's cwd inside the plan's directory", async () => {
    mkdirSync(join(fixture.planDir, "sub"), { recursive: true });
    expect(outputText(await fixture.sh("pwd -P", { phase: { cwd: "sub" } }))).toBe(`${fixture.planDir}/sub\n`);
  });

  test("may be above the plan's directory inside the workspace", async () => {
    expect(outputText(await fixture.sh("pwd -P", { phase: { cwd: ".." } }))).toBe(`${fixture.workspaceDir}\n`);
  });

  test("that is missing is a failure", async () => {
    expect(failureOf(await fixture.sh("pwd", { phase: { cwd: "nowhere" } }))).toMatchObject({
      error_code: "CWD_NOT_FOUND",
      why: expect.stringContaining('"nowhere" does not exist'),
    });
  });

  test.each(["../..", "/tmp", "../../nowhere"])("%s, outside the workspace, is refused", async (cwd) => {
    const failure = failureOf(await fixture.sh("pwd", { phase: { cwd } }));
    expect(failure).toMatchObject({ error_code: "PATH_OUTSIDE_WORKSPACE", why: expect.stringContaining(`"${cwd}"`) });
  });

  test("that leaves the workspace through a symlink is refused", async () => {
    symlinkSync(fixture.artifactsDir, join(fixture.planDir, "way-out"));
    expect(failureOf(await fixture.sh("pwd", { phase: { cwd: "way-out" } })).error_code).toBe("PATH_OUTSIDE_WORKSPACE");
  });
});

describe("environment", () => {
  test("is the worker's, the plan's, the phase's and the attempt's own, each winning over the ones before", async () => {
    const ended = await fixture.sh("env", {
      phase: { env: { LEVEL: "phase", FANFOLD_PHASE: "mine" } },
      spec: { planEnv: { LEVEL: "plan", ONLY_PLAN: "1" }, inputFile: "/tmp/input.jsonl", attempt: 3 },
    });
    const env = new Map(
      outputText(ended)
        .split("\n")
        .map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]),
    );
    const { scratchDir } = ended.spec;
    expect(env.get("PATH")).toBe(process.env["PATH"]);
    expect(env.get("LEVEL")).toBe("phase");
    expect(env.get("ONLY_PLAN")).toBe("1");
    const own = [...env].filter(([name]) => name?.startsWith("FANFOLD_"));
    expect(Object.fromEntries(own)).toEqual({
      FANFOLD_RUN_ID: "run_1",
      FANFOLD_PHASE: "build",
      FANFOLD_REVISION: "1",
      FANFOLD_SHARD_INDEX: "2",
      FANFOLD_SHARD_COUNT: "5",
      FANFOLD_ATTEMPT: "3",
      FANFOLD_ATTEMPT_ID: expect.stringMatching(/^run_1\.build\.r1\.2\.3\.\d+\.[0-9a-f]{16}$/),
      FANFOLD_INPUT: "/tmp/input.jsonl",
      FANFOLD_ARTIFACTS: fixture.artifactsDir,
      FANFOLD_OUTPUT: join(scratchDir, "output"),
      FANFOLD_EVENTS: join(scratchDir, "events.jsonl"),
    });
  });

  test("has no FANFOLD_INPUT when there is none, even if the worker has one", async () => {
    process.env["FANFOLD_INPUT"] = "/from/an/outer/attempt";
    try {
      expect(outputText(await fixture.sh("echo ${FANFOLD_INPUT-unset}"))).toBe("unset\n");
    } finally {
      delete process.env["FANFOLD_INPUT"];
    }
  });
});

describe("output", () => {
  test("FANFOLD_OUTPUT wins over stdout", async () => {
    const ended = await fixture.sh("echo chatter; echo result > $FANFOLD_OUTPUT");
    expect(outputText(ended)).toBe("result\n");
    expect(logText(ended)).toBe("chatter\n");
  });

  test("FANFOLD_OUTPUT made and left empty is an empty output, with a remark in the log", async () => {
    const ended = await fixture.sh("echo chatter; : > $FANFOLD_OUTPUT");
    expect(outputText(ended)).toBe("");
    expect(logText(ended)).toContain("stdout is kept in the log only");
  });

  test("FANFOLD_OUTPUT that is a directory is a failure", async () => {
    expect(failureOf(await fixture.sh("mkdir $FANFOLD_OUTPUT")).error_code).toBe("INVALID_OUTPUT");
  });

  test("an output the check rejects is a failure with the message of the check", async () => {
    expect(failureOf(await fixture.sh("echo '{}'; echo oops", { spec: { checkOutput: rejectOutput } }))).toMatchObject({
      error_code: "INVALID_OUTPUT",
      why: "line 2 is not JSON",
    });
  });

  test("100 MB of output are stored in bounded memory", async () => {
    const args = ["-c", `${100 * MB}`, "/dev/zero"];
    const spec = fixture.spec(examplePhase({ kind: "command", command: "head", args, shell: false }));
    const startBytes = process.memoryUsage().rss;
    let peakBytes = 0;
    const onOutput = () => {
      peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
    };
    const outcome = await runAttempt(spec, { onOutput }, { signal: new AbortController().signal });
    expect(outcome.status).toBe("succeeded");
    expect(statSync(join(spec.scratchDir, "stdout")).size).toBe(100 * MB);
    expect(statSync(join(spec.scratchDir, "log")).size).toBe(100 * MB);
    expect((peakBytes - startBytes) / MB).toBeLessThan(64);
  });

  test("a single line of 10 MB on either stream blocks nothing and loses nothing", async () => {
    const line = `head -c ${10 * MB} /dev/zero | tr '\\0' x`;
    const ended = await fixture.sh(`(${line}) & (${line}) >&2; wait; exit 4`);
    expect(statSync(join(ended.spec.scratchDir, "stdout")).size).toBe(10 * MB);
    expect(statSync(join(ended.spec.scratchDir, "log")).size).toBe(20 * MB);
    expect(failureOf(ended).why.length).toBeLessThanOrEqual(4096);
    expect(failureOf(ended).why).toContain("xxx");
  });
});

describe("end of the process group", () => {
  test("a timeout kills the command and its grandchildren before the attempt ends", async () => {
    const ended = await fixture.sh('sh -c "sleep 60 & echo pid \\$!; wait" & echo pid $!; wait', {
      spec: { timeoutMs: 1000 },
    });
    expect(ended.outcome.status).toBe("timed_out");
    expect(failureOf(ended)).toMatchObject({ error_code: "TIMED_OUT", why: expect.stringContaining("timeout of 1 s") });
    expect(pidsOf(ended.text)).toHaveLength(2);
    expect(pidsOf(ended.text).filter(isRunning)).toEqual([]);
  });

  test("a timeout longer than a timer can hold does not fire early", async () => {
    const ended = await fixture.sh("sleep 0.05; echo done", { spec: { timeoutMs: 30 * 24 * 3600 * 1000 } });
    expect(outputText(ended)).toBe("done\n");
  });

  test("processes that ignore SIGTERM get SIGKILL after the grace", async () => {
    const ended = await fixture.sh("trap '' TERM; sleep 60 & echo pid $!; echo pid $$; wait", {
      spec: { killGraceMs: 100 },
      onText: (text, cancel) => pidsOf(text).length === 2 && cancel(),
    });
    expect(ended.outcome.status).toBe("cancelled");
    expect(failureOf(ended).why).toContain("SIGKILL");
    expect(pidsOf(ended.text)).toHaveLength(2);
    expect(pidsOf(ended.text).filter(isRunning)).toEqual([]);
  });

  test("processes in a session of their own, and daemons that forked twice, die with a stopped command", async () => {
    const daemon = "(setsid sh -c 'trap \"\" TERM; echo pid $$; while :; do sleep 1; done' &)";
    const ended = await fixture.sh(`setsid sleep 60 & echo pid $!; ${daemon} & wait; sleep 60`, {
      spec: { killGraceMs: 200 },
      onText: (text, cancel) => pidsOf(text).length === 2 && cancel(),
    });
    expect(failureOf(ended).why).toContain("ended with SIGKILL");
    expect(pidsOf(ended.text)).toHaveLength(2);
    expect(pidsOf(ended.text).filter(isRunning)).toEqual([]);
  });

  test("a daemon that a successful command left in a session of its own goes on", async () => {
    const ended = await fixture.sh(
      "setsid sh -c 'echo pid $$ >&2; touch $FANFOLD_OUTPUT.up; exec sleep 60 >&- 2>&-' & until test -e $FANFOLD_OUTPUT.up; do sleep 0.01; done",
    );
    succeeded(ended);
    const [pid = 0] = pidsOf(ended.text);
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  test("a cancelled command may end in its own way within the grace, and stays cancelled", async () => {
    const ended = await fixture.sh("trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.02; done", {
      onText: (text, cancel) => text.includes("ready") && cancel(),
    });
    expect(ended.outcome).toMatchObject({ status: "cancelled", failure: { error_code: "CANCELLED" } });
    expect(ended.text).toContain("goodbye");
    expect(ended.outcome.durationMs).toBeLessThan(4000);
  });

  test("an attempt cancelled before its start starts nothing", async () => {
    const spec = fixture.spec(examplePhase({ kind: "command", command: "echo", args: ["started"], shell: false }));
    const texts: Uint8Array[] = [];
    const signal = AbortSignal.abort(new Error("run_1 was cancelled by its owner"));
    const outcome = await runAttempt(spec, { onOutput: (chunk) => void texts.push(chunk) }, { signal });
    expect(outcome).toMatchObject({
      status: "cancelled",
      failure: { why: "cancelled (run_1 was cancelled by its owner)" },
    });
    expect(texts).toEqual([]);
  });

  test("processes left in the background do not hang the attempt and are killed", async () => {
    const ended = await fixture.sh("sleep 60 & echo pid $!");
    expect(succeeded(ended).durationMs).toBeLessThan(4000);
    expect(pidsOf(ended.text).filter(isRunning)).toEqual([]);
    expect(logText(ended)).toContain("left processes in the background");
  });

  test("processes left in the background are killed even when they hold no stream", async () => {
    const ended = await fixture.sh("sleep 60 >/dev/null 2>&1 & echo pid $!");
    expect(succeeded(ended).durationMs).toBeLessThan(4000);
    expect(pidsOf(ended.text).filter(isRunning)).toEqual([]);
  });

  test("a process that left the group cannot hold the attempt up through its streams", async () => {
    const ended = await fixture.sh("setsid sleep 5 & echo done");
    expect(outputText(ended)).toBe("done\n");
    expect(ended.outcome.durationMs).toBeLessThan(4500);
    expect(logText(ended)).toContain("held its output open");
  });

  test("trouble in storing the output ends the command and is the worker's failure", async () => {
    const ended = await fixture.sh("echo pid $$; sleep 60", {
      onText: () => {
        throw new Error("no room for more");
      },
    });
    expect(failureOf(ended)).toMatchObject({ error_code: "WORKER_ERROR", why: expect.stringContaining("no room") });
    expect(pidsOf(ended.text).filter(isRunning)).toEqual([]);
  });
});
