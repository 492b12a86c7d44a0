import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { inWorkspace, type Workspace } from "./site.ts";

/** Longest time a command may take to find out that there is no Redis for it. */
const LIMIT_MS = 5_000;

/** Runs a command that needs Redis. @returns how it ended, and how long it took beyond its mere start-up */
async function runWithRedis(workspace: Workspace, redisUrl: string) {
  const [{ code, stderr, durationMs }, bare] = await Promise.all([
    workspace.with({ REDIS_URL: redisUrl }).run("ls"),
    workspace.run("--version"),
  ]);
  return { code, stderr, waitedMs: durationMs - bare.durationMs };
}

/** Starts a server that treats every connection as told; closed when the test is over. @returns its URL */
async function serve({ onTestFinished }: TestContext, onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    onConnection(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `redis://127.0.0.1:${address.port}`;
}

/** Answers as a Redis of that version does, as far as a client asks before its first real command. */
function answerAs(version: string, knowsHello: boolean): (socket: Socket) => void {
  const info = `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\nloading:0\r\n`;
  const hello = "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n";
  const answers: Readonly<Record<string, string>> = {
    INFO: `$${info.length}\r\n${info}\r\n`,
    HELLO: knowsHello ? hello : "-ERR unknown command `HELLO`\r\n",
    CLIENT: "-ERR Unknown subcommand\r\n",
  };
  return (socket) => {
    let pending = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      const { names, rest } = readCommands(pending + text);
      pending = rest;
      for (const name of names) socket.write(answers[name.toUpperCase()] ?? "+OK\r\n");
    });
  };
}

/** Names of the whole commands at the start of a stream of them, and what comes after. */
function readCommands(text: string): { names: string[]; rest: string } {
  const names: string[] = [];
  let rest = text;
  for (;;) {
    const count = Number(/^\*(\d+)\r\n/.exec(rest)?.[1] ?? "-1");
    const words = new RegExp(`^\\*\\d+\\r\\n((?:\\$\\d+\\r\\n[^\\r]*\\r\\n){${Math.max(count, 1)}})`).exec(rest);
    if (words === null) return { names, rest };
    names.push(words[1]?.split("\r\n")[1] ?? "");
    rest = rest.slice(words[0].length);
  }
}

describe("a Redis that cannot be used ends a command with 3, soon, and says what to do:", () => {
  test.concurrent(
    "a server that is not there",
    inWorkspace(async (workspace) => {
      const { code, stderr, waitedMs } = await runWithRedis(workspace, "redis://127.0.0.1:1");
      expect(code).toBe(3);
      expect(stderr).toMatch(/redis at redis:\/\/127\.0\.0\.1:1\S* cannot be reached .*unset REDIS_URL/);
      expect(waitedMs).toBeLessThan(LIMIT_MS);
    }),
  );

  test.concurrent(
    "a server that never answers",
    inWorkspace(async (workspace, context) => {
      const url = await serve(context, () => undefined);
      const { code, stderr, waitedMs } = await runWithRedis(workspace, url);
      expect(code).toBe(3);
      expect(stderr).toMatch(/cannot be reached \(no answer\)/);
      expect(waitedMs).toBeLessThan(LIMIT_MS);
    }),
  );

  test.concurrent.for([
    ["6.0.16", true],
    ["5.0.14", false],
  ] as const)("a server of version %s", ([version, knowsHello], context) =>
    inWorkspace(async (workspace) => {
      const url = await serve(context, answerAs(version, knowsHello));
      const { code, stderr } = await workspace.with({ REDIS_URL: url }).run("ls");
      expect(stderr).toContain(`is ${version}; 6.2.0 or newer is needed`);
      expect(code).toBe(3);
    })(context),
  );

  test.concurrent(
    "an address that is none",
    inWorkspace(async (workspace) => {
      const { code, stderr } = await workspace.with({ REDIS_URL: "localhost:6379" }).run("ls");
      expect(code).toBe(3);
      expect(stderr).toMatch(/REDIS_URL must start with redis:\/\//);
    }),
  );

  test.concurrent(
    "a named server binary that is not there",
    inWorkspace(async (workspace) => {
      const { code, stderr } = await workspace.with({ FANFOLD_REDIS_SERVER: "/nowhere/redis-server" }).run("ls");
      expect(code).toBe(3);
      expect(stderr).toMatch(/FANFOLD_REDIS_SERVER names \/nowhere\/redis-server/);
    }),
  );

  test.concurrent(
    "no server binary at all",
    inWorkspace(async (workspace) => {
      const { code, stderr } = await workspace.with({ PATH: workspace.dir, FANFOLD_REDIS_SERVER: "" }).run("ls");
      expect(code).toBe(3);
      expect(stderr).toMatch(/^fanfold: there is no redis-server .*install .*REDIS_URL.*\n$/);
    }),
  );
});

/** Asserts that nothing came to life: no server, no data. */
async function expectNothingStarted(workspace: Workspace): Promise<void> {
  expect(existsSync(join(workspace.dir, ".fanfold/redis"))).toBe(false);
  expect(await workspace.processes()).toEqual([]);
}

const HEAD = 'plan_id: p\nversion: "1"\n';

describe("a plan that cannot run ends with 2, says why, and starts nothing:", () => {
  const cases: [name: string, file: string, content: string | undefined, told: RegExp[]][] = [
    ["an unknown file", "nowhere.yaml", undefined, [/cannot read the plan nowhere\.yaml: there is no such file/]],
    ["an empty file", "empty.yaml", "", [/empty\.yaml:1:1: error/, /plan is empty/]],
    [
      "a YAML syntax error",
      "syntax.yaml",
      `${HEAD}phases:\n  - id: a\n   command: b\n`,
      [/syntax\.yaml:5:1: error/, /> 5 \| {4}command: b/],
    ],
    ["a JSON syntax error", "syntax.json", '{\n  "plan_id": "p"\n  "version": "1"\n}\n', [/syntax\.json:3:\d+: error/]],
    [
      "an unknown key",
      "key.yaml",
      `${HEAD}phases:\n  - id: a\n    comand: "true"\n`,
      [/key\.yaml:5:5: error/, /unknown key "comand"/, /did you mean "command"\?/],
    ],
    [
      "a cycle",
      "cycle.yaml",
      `${HEAD}phases:\n  - { id: a, command: x, depends_on: [b] }\n  - { id: b, command: x, depends_on: [a] }\n`,
      [/cycle\.yaml:4:\d+: error/, /a -> b -> a/],
    ],
    [
      "a variable without a value",
      "variable.yaml",
      `${HEAD}variables: { WHO: {} }\nphases:\n  - { id: a, command: echo, args: ["\${WHO}"] }\n`,
      [/variable\.yaml:3:\d+: error/, /variable WHO has no value/],
    ],
    [
      "several mistakes, all at once",
      "several.yaml",
      `${HEAD}phases:\n  - { id: a, command: x, retries: -1 }\n  - { id: a, command: x, depends_on: [zz] }\n`,
      [/several\.yaml:4:\d+: error/, /several\.yaml:5:\d+: error[^]*several\.yaml:5:\d+: error/, /3 errors/],
    ],
  ];
  test.concurrent.for(cases)("%s", ([, file, content, told], context) =>
    inWorkspace(async (workspace) => {
      if (content !== undefined) await workspace.write(file, content);
      const { code, stdout, stderr } = await workspace.run("run", file);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      for (const pattern of told) expect(stderr).toMatch(pattern);
      await expectNothingStarted(workspace);
    })(context),
  );

  test.concurrent(
    "one outside of the workspace",
    inWorkspace(async (workspace) => {
      await workspace.write("../elsewhere.yaml", `${HEAD}phases:\n  - { id: a, command: "true" }\n`);
      const { code, stderr } = await workspace.run("run", "../elsewhere.yaml");
      expect(code).toBe(2);
      expect(stderr).toMatch(/outside of the workspace.*--workspace/);
      await expectNothingStarted(workspace);
    }),
  );
});

describe("wrong usage ends with 2:", () => {
  const cases: [name: string, args: string[], told: RegExp][] = [
    ["an unknown command", ["rnu", "plan.yaml"], /unknown command 'rnu'[^]*run/],
    ["an unknown option", ["ls", "--jsno"], /unknown option '--jsno'[^]*--json/],
    ["a variable without a name", ["run", "plan.yaml", "--var", "spanish"], /write NAME=VALUE/],
  ];
  test.concurrent.for(cases)("%s", ([, args, told], context) =>
    inWorkspace(async (workspace) => {
      const { code, stderr } = await workspace.run(...args);
      expect(code).toBe(2);
      expect(stderr).toMatch(told);
      await expectNothingStarted(workspace);
    })(context),
  );
});

describe("help", () => {
  test.concurrent(
    "tells of every command, of the exit codes, and of each option of a command",
    inWorkspace(async (workspace) => {
      const [help, run, worker] = await Promise.all(
        [["--help"], ["run", "--help"], ["help", "worker"]].map((args) => workspace.read(...args)),
      );
      expect(help).toMatch(/^Exit codes: 0 ok/m);
      const commands = [...(help ?? "").matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
      expect(commands).toEqual(
        expect.arrayContaining("run submit watch retry cancel status logs events ls".split(" ")),
      );
      expect(run).toMatch(/^Usage: fanfold run [^]*--var[^]*--concurrency[^]*--redis/);
      expect(worker).toMatch(/^Usage: fanfold worker [^]*--pool/);
      await expectNothingStarted(workspace);
    }),
  );
});
