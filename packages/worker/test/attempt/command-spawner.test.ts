import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { AttemptFixture, contentOf, failureOf, isRunning, outputText, succeeded } from "./attempt-fixture.ts";
import { spawnerRequest } from "../../src/attempt/spawner-request.ts";

const fixture = new AttemptFixture();
afterAll(() => fixture.remove());

const HOSTILE = [
  "",
  " ",
  "a b",
  "'",
  "'; touch /tmp/fanfold-was-here; '",
  '"$(touch /tmp/fanfold-was-here)" `id` $HOME ${PATH} \\ \\\\ \\\'',
  "two\nlines\n",
  "-n",
  "--",
  "*",
  "~",
  "!!",
  "a=b",
  "tab\tand\rcarriage\x01\x7f",
  "ünï — 漢字 🎉",
  "x".repeat(100_000),
];

/** A command by its program, without a shell. */
const command = (name: string, args: string[], phase: Parameters<typeof fixture.run>[1] = {}) =>
  fixture.run({ kind: "command", command: name, args, shell: false }, phase);

/** What `env` says of a command's environment. */
async function envOf(env: Record<string, string>): Promise<Record<string, string>> {
  const { NODE_OPTIONS: _, ...rest } = env;
  const text = outputText(await command("env", ["-0"], { phase: { env: rest } }));
  return Object.fromEntries(
    text
      .split("\0")
      .slice(0, -1)
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

describe("a command is started through a shell of the spawner", () => {
  test("with the process group and the streams of its own, and no signal ignored", async () => {
    const script = [
      "read -r parent </proc/$PPID/comm; echo $parent",
      "set -- $(sed 's/.*) //' /proc/$$/stat); echo $3 $$",
      "grep -hE 'SigIgn|SigBlk' /proc/self/status",
      "readlink /proc/$$/fd/0",
      "readlink /proc/$$/fd/* | grep -cE 'fanfold-commands|socket'",
    ].join("\n");
    const [parent, group, ...rest] = outputText(await fixture.sh(script)).split("\n");
    expect(parent).toBe("bash");
    expect(group).toMatch(/^(\d+) \1$/);
    const none = "\t0000000000000000";
    expect(rest).toEqual([`SigBlk:${none}`, `SigIgn:${none}`, "/dev/null", "2", ""]);
  });

  test("with arguments, variables and a directory as they are, whatever is in them", async () => {
    const ended = await command("printf", ["%s\\0", ...HOSTILE]);
    expect(outputText(ended).split("\0").slice(0, -1)).toEqual(HOSTILE);
    const variables = Object.fromEntries(HOSTILE.map((value, index) => [`HOSTILE_${index}`, value]));
    expect(await envOf(variables)).toMatchObject(variables);
    for (const name of ["it's $(here)", "-P", "new\nline"]) {
      mkdirSync(join(fixture.planDir, name));
      expect(outputText(await command("pwd", ["-P"], { phase: { cwd: name } }))).toBe(`${fixture.planDir}/${name}\n`);
    }
  });

  test("with variables that mean something to the shell", async () => {
    const bash = ["--norc", "--noprofile", "-p", "-c", "set -m; compgen -v"];
    const names = execFileSync("bash", bash, { env: {}, encoding: "utf8" }).split("\n").filter(Boolean);
    const more = "BASH_ENV ENV LC_ALL LANG LC_CTYPE POSIXLY_CORRECT GLOBIGNORE CDPATH TZ request dir pid status length";
    const all = [...names, ...more.split(" ")].filter((name) => name !== "PATH" && name !== "_");
    const env = Object.fromEntries(all.map((name, index) => [name, `xx_YY.${index}`]));
    expect(await envOf(env)).toMatchObject(env);
    const suited = Object.entries(env).filter(
      ([name, value]) => spawnerRequest(startOf({ [name]: value })) !== undefined,
    );
    const shown = await envOf(Object.fromEntries([...suited, ["SHLVL", "7"], ["LC_ALL", "no_such.locale"]]));
    expect(shown).toMatchObject({ ...Object.fromEntries(suited), SHLVL: "7", LC_ALL: "no_such.locale" });
    expect(suited.length).toBeGreaterThan(30);
  });

  test("without a variable it was not given", async () => {
    const given = ["PWD", "OLDPWD", "SHLVL", "PATH", "LC_ALL"].map((name) => [name, process.env[name]] as const);
    const shown = await envOf({});
    for (const [name, value] of given) expect(shown[name]).toBe(value);
  });

  test("and may open its streams by name", async () => {
    const ended = await fixture.sh("echo err >/dev/stderr; echo out >/dev/stdout");
    expect(outputText(ended)).toBe("out\n");
    expect(ended.text).toContain("err\n");
  });
});

describe("the end of a command", () => {
  test("tells a signal from the exit code a shell has for it", async () => {
    for (const [code, signal] of [
      [129, "SIGHUP"],
      [130, "SIGINT"],
      [134, "SIGABRT"],
      [137, "SIGKILL"],
      [139, "SIGSEGV"],
      [141, "SIGPIPE"],
      [143, "SIGTERM"],
    ] as const) {
      expect(failureOf(await fixture.sh(`exit ${code}`))).toMatchObject({
        error_code: "EXIT_NONZERO",
        exit_code: code,
      });
      const killed = failureOf(await fixture.sh(`kill -s ${signal.slice(3)} $$; sleep 60`));
      expect(killed).toMatchObject({ error_code: "KILLED", signal });
    }
  });

  test.each([1, 126, 127, 128, 255])("tells exit code %i of the command", async (code) => {
    const failure = failureOf(await fixture.sh(`echo why >&2; exit ${code}`));
    expect(failure).toMatchObject({
      error_code: "EXIT_NONZERO",
      exit_code: code,
      why: expect.stringContaining(": why"),
    });
  });

  test("that a shell of the command did not find a program is the command's own failure", async () => {
    expect(failureOf(await fixture.sh("no-such-program"))).toMatchObject({
      error_code: "EXIT_NONZERO",
      exit_code: 127,
    });
  });

  test("an interpreter that does not exist is a failure to start, without a word of the spawner's", async () => {
    chmodSync(fixture.write("orphan", "#!/no/such/interpreter\n"), 0o755);
    const ended = await command("./orphan", []);
    expect(failureOf(ended)).toMatchObject({
      error_code: "COMMAND_NOT_FOUND",
      why: expect.stringContaining("interpreter"),
    });
    expect(ended.text).toBe("");
  });

  test("a script without a first line for the system is run by sh, as ever", async () => {
    chmodSync(fixture.write("plain-script", "readlink /proc/$$/exe\n"), 0o755);
    const sh = execFileSync("readlink", ["-f", "/bin/sh"], { encoding: "utf8" });
    expect(outputText(await command("./plain-script", []))).toBe(sh);
  });

  test("a working directory that goes away is named", async () => {
    mkdirSync(join(fixture.planDir, "closed"));
    const failure = failureOf(await fixture.sh("rmdir ../closed && exec ./missing", { phase: { cwd: "closed" } }));
    expect(failure.error_code).toBe("EXIT_NONZERO");
    expect(failureOf(await fixture.sh("true", { phase: { cwd: "closed" } })).error_code).toBe("CWD_NOT_FOUND");
  });
});

describe("a shell of the spawner", () => {
  test("that dies takes its command with it, and another one takes over", async () => {
    const ended = await fixture.sh("sleep 60 & echo pid $!; kill -9 $PPID; wait");
    expect(failureOf(ended).error_code).toBe("SPAWNER_LOST");
    const pid = Number(/pid (\d+)/.exec(ended.text)?.[1]);
    expect(isRunning(pid)).toBe(false);
    expect(outputText(await fixture.sh("echo again"))).toBe("again\n");
  });

  test("outlives the signals that ask a process to end", async () => {
    const ended = await fixture.sh(
      "for s in TERM HUP INT QUIT; do kill -s $s $PPID; done; sleep 0.05; echo done; exit 3",
    );
    expect(failureOf(ended)).toMatchObject({ error_code: "EXIT_NONZERO", exit_code: 3 });
    expect(ended.text).toBe("done\n");
  });

  test("waits for a command that rests for a while", async () => {
    const ended = await fixture.sh("(sleep 0.1; kill -CONT $$) & kill -STOP $$; wait; exit 4");
    expect(failureOf(ended)).toMatchObject({ error_code: "EXIT_NONZERO", exit_code: 4 });
  });

  test("starts nothing more when a process holds the output of its last command", async () => {
    const go = join(fixture.planDir, "go");
    const stray = `until test -e ${go}; do sleep 0.01; done; while echo stray; do sleep 0.01; done`;
    const ended = await fixture.sh(`setsid sh -c '${stray}' & echo pid $! $PPID >&2`);
    writeFileSync(go, "");
    const [pid = 0, shell = 0] = (/pid (\d+) (\d+)/.exec(ended.text)?.slice(1) ?? []).map(Number);
    for (let i = 0; i < 5; i += 1) {
      const [output, parent] = outputText(await fixture.sh("echo own; echo $PPID")).split("\n");
      expect(output).toBe("own");
      expect(Number(parent)).not.toBe(shell);
    }
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false));
  });

  test("is there for each of many commands at once, and none hears of another", async () => {
    const all = Array.from({ length: 20 }, (_, index) => index);
    const ended = await Promise.all(
      all.map((index) =>
        fixture.sh(`i=0; while [ $i -lt 200 ]; do echo ${index}; i=$((i+1)); done; exec cat /dev/null`),
      ),
    );
    for (const index of all) {
      const attempt = ended[index];
      if (attempt === undefined) throw new Error("an attempt is missing");
      expect(contentOf(succeeded(attempt).output)).toBe(`${index}\n`.repeat(200));
    }
  });
});

function startOf(env: Record<string, string>) {
  return { program: "/bin/true", args: [], cwd: "/", env };
}
