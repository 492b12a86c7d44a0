import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SecretSource } from "../../src/secrets.ts";
import {
  type AttemptChanges,
  AttemptFixture,
  contentOf,
  type EndedAttempt,
  failureOf,
  logText,
  outputText,
  succeeded,
} from "./attempt-fixture.ts";

const fixture = new AttemptFixture();
afterAll(() => fixture.remove());

const VALUES: Readonly<Record<string, string>> = {
  API_KEY: "hunter2-hunter2",
  NESTED: "${secret:API_KEY}-$&-nested",
  KEY_FILE: '-----BEGIN-----\nfirst line of it\nsecond "line" of it',
};

const secrets: SecretSource = {
  resolveSecret: (name) => Promise.resolve(VALUES[name] ?? `unknown-${name}`),
};

const KEY = "${secret:API_KEY}";

/** Runs a script of sh whose environment has the secret as KEY. */
const sh = (script: string, { phase, spec, ...rest }: AttemptChanges = {}): Promise<EndedAttempt> =>
  fixture.sh(script, { ...rest, spec: { secrets, ...spec }, phase: { env: { KEY }, ...phase } });

const handler = (source: string, phase: AttemptChanges["phase"] = {}): Promise<EndedAttempt> =>
  fixture.handler(source, { spec: { secrets }, phase: { env: { KEY }, ...phase } });

/** Everything an attempt leaves for others: outcome, live output, events and files, but what user code wrote itself. */
function traces(ended: EndedAttempt): string {
  const { outcome, text, events, spec } = ended;
  const files = ["log", "stdout"].map((name) => join(spec.scratchDir, name)).filter((path) => existsSync(path));
  const contents = files.map((path) => readFileSync(path, "utf8"));
  const output = outcome.status === "succeeded" ? contentOf(outcome.output) : "";
  return JSON.stringify([outcome, output, text, logText(ended), events, contents]);
}

describe("a secret reaches", () => {
  test("the command, its arguments and its environment, in one pass", async () => {
    const args = ["-c", 'printf %s "$0|$KEY|$NESTED|$OF_PLAN" | od -An -c -w1000', KEY];
    const ended = await fixture.run(
      { kind: "command", command: "sh", args, shell: false },
      {
        spec: { secrets, planEnv: { OF_PLAN: `<${KEY}>`, KEY: "of the plan" } },
        phase: { env: { KEY, NESTED: "${secret:NESTED}" } },
      },
    );
    const [value, nested] = [VALUES["API_KEY"], VALUES["NESTED"]];
    expect(outputText(ended).replaceAll(/\s+/g, "")).toBe(`${value}|${value}|${nested}|<${value}>`);
  });

  test("a script of the shell", async () => {
    const ended = await fixture.run(
      { kind: "command", command: `test ${KEY} = hunter2-hunter2 && echo equal`, args: [], shell: true },
      { spec: { secrets } },
    );
    expect(outputText(ended)).toBe("equal\n");
  });

  test("the environment of a handler", async () => {
    expect(outputText(await handler("export default ({ env }) => env.KEY.length;"))).toBe("15\n");
  });

  test("nothing else: neither the working directory nor the path of a handler", async () => {
    expect(failureOf(await sh("true", { phase: { cwd: KEY } }))).toMatchObject({
      error_code: "CWD_NOT_FOUND",
      why: expect.stringContaining(KEY),
    });
    const failure = failureOf(await fixture.run({ kind: "handler", handler: KEY }, { spec: { secrets } }));
    expect(failure).toMatchObject({ error_code: "HANDLER_NOT_FOUND", why: expect.stringContaining(KEY) });
  });
});

describe("the worker's own secrets", () => {
  beforeEach(() => {
    vi.stubEnv("FANFOLD_SECRET_MINE", "only-for-those-who-ask");
    vi.stubEnv("FANFOLD_SECRETS_DIR", fixture.root);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test("are not in the environment of a command, but for those it names", async () => {
    const ended = await fixture.sh('env | grep -c FANFOLD_SECRET_; test "$MINE" = only-for-those-who-ask', {
      phase: { env: { MINE: "${secret:MINE}" } },
    });
    expect(outputText(ended)).toBe("0\n");
  });

  test("fail the attempt that names one they do not have, before anything runs", async () => {
    const ended = await fixture.sh("echo ran", { phase: { env: { A: "${secret:MINE}${secret:OTHER}" } } });
    expect(failureOf(ended)).toMatchObject({
      error_code: "SECRET_NOT_FOUND",
      why: `secret OTHER was not found: the worker has no environment variable FANFOLD_SECRET_OTHER, and no file ${fixture.root}/OTHER`,
    });
    expect(ended.text).toBe("");
  });
});

describe("a secret is masked in", () => {
  test("both streams, the log file, the output and the failure", async () => {
    const ended = await sh('echo "out $KEY."; echo "err $KEY." >&2; exit 3');
    expect(failureOf(ended).why).toBe("exited with code 3: err ***.");
    expect(logText(ended).split("\n").sort()).toEqual(["", "err ***.", "out ***."]);
    expect(traces(ended)).not.toContain("hunter2");
  });

  test("stdout as the output, which is remarked in the log", async () => {
    const ended = await sh('echo "{\\"key\\":\\"$KEY\\"}"');
    expect(outputText(ended)).toBe('{"key":"***"}\n');
    expect(logText(ended)).toContain("secrets in it were masked");
  });

  test("output that comes in pieces", async () => {
    const script =
      "const { KEY } = process.env; for (const c of KEY) process.stdout.write(c); process.stdout.write(KEY.slice(0, 7))";
    const ended = await sh(`node -e '${script}'; printf 'err hunt' >&2`);
    expect(outputText(ended)).toBe("***hunter2");
    expect(ended.text).toContain("err hunt");
  });

  test("lines of its own, where it has several", async () => {
    const ended = await sh('printf %s "$KEY" | sed "s/^/> /"', { phase: { env: { KEY: "${secret:KEY_FILE}" } } });
    expect(outputText(ended)).toBe("> ***\n> ***\n> ***");
  });

  test("events that are reported", async () => {
    const lines = [
      { type: "log", message: "with KEY" },
      { type: "progress", completed: 1, message: "KEY" },
      { type: "usage", model: "KEY", tokens: 5 },
      { type: "spawn", phases: [{ note: "KEY" }] },
      { type: "artifact", name: "report", path: "/tmp/KEY" },
    ];
    const script = lines.map((line) => `echo '${JSON.stringify(line)}' | sed "s|KEY|$KEY|" >> $FANFOLD_EVENTS`);
    const ended = await sh(`${script.join("\n")}\nexit 1`);
    expect(ended.events).toEqual([
      { type: "log", level: "info", message: "with ***" },
      { type: "progress", progress: { completed: 1, message: "***" } },
      { type: "usage", usage: { model: "***", tokens: 5 } },
      { type: "spawn", request: { phases: [{ note: "***" }] } },
      { type: "artifact", name: "report", path: "/tmp/***" },
    ]);
    expect(traces(ended)).not.toContain("hunter2");
  });

  test("an event that is refused, however long it is", async () => {
    const padding = "x".repeat(4050);
    const line = `{\\"type\\":\\"artifact\\",\\"name\\":\\"${padding}$KEY\\",\\"path\\":\\"y\\"}`;
    const ended = await sh(`echo "${line}" >> $FANFOLD_EVENTS`);
    expect(failureOf(ended).error_code).toBe("ARTIFACT_UNDECLARED");
    expect(traces(ended)).not.toContain("hunt");
  });

  test("the failure of a command that cannot be started", async () => {
    const ended = await fixture.run(
      { kind: "command", command: `./${KEY}`, args: [], shell: false },
      { spec: { secrets } },
    );
    expect(failureOf(ended).why).toContain('command "./***" does not exist');
  });

  test("the log and the error of a handler, and the stack of the error", async () => {
    const ended = await handler(
      "export default ({ env, log }) => { log.info(env.KEY); throw new Error('no ' + env.KEY); }",
    );
    expect(failureOf(ended).why).toBe("no ***");
    expect(logText(ended)).toMatch(/^\[info\] \*\*\*\nError: no \*\*\*\n {4}at /);
    expect(traces(ended)).not.toContain("hunter2");
  });
});

describe("an attempt fails that hands a secret over", () => {
  const refused = (artifact: string) => ({
    error_code: "SECRET_IN_OUTPUT",
    why: `artifact "${artifact}" contains the value of secret API_KEY`,
  });

  test("in FANFOLD_OUTPUT, wherever in the file", async () => {
    const script = 'head -c 131066 /dev/zero > $FANFOLD_OUTPUT; printf "%s and more" "$KEY" >> $FANFOLD_OUTPUT';
    expect(failureOf(await sh(script))).toMatchObject(refused("built"));
  });

  test("in an artifact", async () => {
    const artifact = (name: string) =>
      `echo "$KEY" > $FANFOLD_OUTPUT.x; echo '{"type":"artifact","name":"${name}","path":"'$FANFOLD_OUTPUT.x'"}' >> $FANFOLD_EVENTS`;
    expect(failureOf(await sh(artifact("report")))).toMatchObject(refused("report"));
    expect(failureOf(await sh(artifact("built")))).toMatchObject(refused("built"));
  });

  test("as the value of a handler, also as JSON writes it", async () => {
    expect(failureOf(await handler("export default ({ env }) => [{ key: env.KEY }];"))).toMatchObject(refused("built"));
    const ended = await handler("export default ({ env }) => ({ key: env.KEY });", {
      env: { KEY: "${secret:KEY_FILE}" },
    });
    expect(failureOf(ended).why).toContain("secret KEY_FILE");
    const streamed = await handler("export default function* ({ env }) { yield { key: env.KEY }; }");
    expect(failureOf(streamed)).toMatchObject(refused("built"));
  });

  test("before the output is checked for its merge", async () => {
    const ended = await sh('echo "$KEY" > $FANFOLD_OUTPUT', {
      spec: { checkOutput: () => Promise.reject(new Error("not JSON: hunter")) },
    });
    expect(failureOf(ended)).toMatchObject(refused("built"));
  });
});

describe("what looks like a credential", () => {
  const token = `ghp_${"Ab3dEf7hIj".repeat(4)}`;
  const url = "https://me:letmein@example.com/x.git";

  test("is redacted in the log, live and in failures, although the plan names no secret", async () => {
    const ended = await fixture.sh(`echo ${token}; echo "cannot clone ${url}" >&2; exit 1`);
    expect(failureOf(ended).why).toBe("exited with code 1: cannot clone https://me:***@example.com/x.git");
    for (const place of [logText(ended), ended.text]) expect(place).toContain("***\n");
    for (const place of [logText(ended), ended.text]) expect(place).not.toMatch(/ghp_|letmein/);
  });

  test("is redacted in failures that quote no more than the end of it", async () => {
    const ended = await fixture.sh(`printf '${token} ' >&2; head -c 4070 /dev/zero | tr '\\0' x >&2; exit 1`);
    expect(failureOf(ended).why).not.toContain("hIj");
  });

  test("is left in outputs: they are data", async () => {
    const ended = await fixture.sh(`echo ${token}`);
    expect(outputText(ended)).toBe(`${token}\n`);
    expect(ended.text).toBe("***\n");
    expect(succeeded(await fixture.sh(`echo ${token} > $FANFOLD_OUTPUT`)).status).toBe("succeeded");
  });

  test("is redacted in what a handler logs and reports", async () => {
    const ended = await fixture.handler(`export default ({ log, progress }) => {
      log.warn("${token}"); progress({ completed: 1, message: "${url}" }); throw new Error("${url}");
    }`);
    expect(JSON.stringify([ended.events, ended.outcome, ended.text])).not.toMatch(/ghp_|letmein/);
  });
});
