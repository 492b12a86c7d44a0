import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CliExit } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { inWorkspace, parseJournal, parseRun, type Workspace } from "./site.ts";

const HELLO = { plan_id: "hello", version: "1", phases: [{ id: "a", command: "echo", args: ["hello"] }] };

/** A plan of one phase, a shell command. */
function shellPlan(planId: string, command: string, more: object = {}): object {
  return { plan_id: planId, version: "1", phases: [{ id: "a", command, shell: true, ...more }] };
}

/** A command that tells it is there, and waits for another one to be. */
function meet(own: string, other: string): string {
  return `touch ${own}; while [ ! -e ${other} ]; do sleep 0.02; done`;
}

function serversOf(processes: readonly { command: string }[]): number {
  return processes.filter(({ command }) => command.includes("redis-server")).length;
}

/** Shards 1 and 2 fail until `mended` is there. */
async function writeBroken(workspace: Workspace): Promise<void> {
  const shard = { strategy: "chunk", over: [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }], chunk_size: 1 };
  const merge = { strategy: "records", key: "n", complete: true };
  const command = "cat $FANFOLD_INPUT && { test -e mended || ! grep -qE '1|2' $FANFOLD_INPUT; }";
  const fan = { id: "fan", command, shell: true, shard, merge, on_failure: "skip_dependents" };
  const next = {
    id: "next",
    command: "cat $FANFOLD_ARTIFACTS/fan",
    shell: true,
    depends_on: ["fan"],
    consumes: ["fan"],
  };
  await workspace.write("plan.json", { plan_id: "broken", version: "1", phases: [fan, next] });
}

describe("a run on the embedded Redis", () => {
  test.concurrent(
    "ends with 0, leaves no process, and keeps its data",
    inWorkspace(async (workspace) => {
      // the parent of a command is a shell of the spawner: the bundle has its script
      await workspace.write("plan.json", shellPlan("hello", "read -r parent </proc/$PPID/comm; echo hello $parent"));
      const { code, stdout } = await workspace.run("run", "plan.json");
      expect(code).toBe(0);
      expect(await workspace.processes()).toEqual([]);
      const [, runId = "", output = ""] = /^run (run_\S+) {2}succeeded$[^]*outputs +a .* (\/.*)$/m.exec(stdout) ?? [];
      expect(await readFile(output, "utf8")).toBe("hello bash\n");

      expect(await workspace.read("ls")).toMatch(new RegExp(`^${runId} +succeeded +hello 1`, "m"));
      expect(await workspace.read("status", runId)).toMatch(/^hello 1 {2}succeeded/);
      expect(await workspace.read("logs", "@latest")).toMatch(/\nhello bash\n$/);
      const events = await workspace.read("events", runId.slice(0, 12), "--json");
      const journal = parseJournal(events);
      expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_line, index) => index + 1));
      expect(journal.at(-1)?.event).toBe("run_succeeded");
      expect(await readFile(join(workspace.dir, ".fanfold/runs", runId, "journal.jsonl"), "utf8")).toBe(events);
    }),
  );

  test.concurrent(
    "that fails ends with 1 and tells what failed, why, its last output, and what to type next",
    inWorkspace(async (workspace) => {
      const command = 'seq -f "line %g" 1 30; echo "no such voice" >&2; exit 7';
      const items = [{ n: 0 }, { n: 1 }];
      const shard = { strategy: "chunk", over: items, chunk_size: 1 };
      const failing = `if [ $FANFOLD_SHARD_INDEX = 1 ]; then ${command}; fi`;
      await workspace.write("plan.json", shellPlan("failing", failing, { shard, merge: { strategy: "concat" } }));
      const { code, stdout } = await workspace.run("run", "plan.json", "--run-id", "first");
      expect(code).toBe(1);
      expect(stdout).toMatch(/^run first {2}failed$/m);
      expect(stdout).toMatch(/^failed {2}a\[1\], attempt 1, exit code 7$/m);
      expect(stdout).toMatch(/^ {2}why +.*no such voice$/m);
      expect(stdout).toMatch(/^ {2}\| line 29\n {2}\| line 30\n {2}\| no such voice$/m);
      expect(stdout).not.toMatch(/\| line 1$/m);
      expect(stdout).toMatch(/^next:\n {2}fanfold logs first --phase a --shard 1\n {2}fanfold retry first$/m);
      expect(await workspace.read("logs", "first", "--phase", "a", "--shard", "1")).toContain("line 1\nline 2\n");
    }),
  );

  test.concurrent(
    "started several times with one id, also at once, is one run",
    inWorkspace(async (workspace) => {
      await workspace.write("plan.json", shellPlan("once", "echo ran >> ran.txt; echo out"));
      const start = (): Promise<CliExit> => workspace.run("run", "plan.json", "--run-id", "once", "--json");
      const ends = [...(await Promise.all([start(), start()])), await start()];
      expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
      expect(ends.filter(({ stderr }) => stderr.includes("once is there already"))).toHaveLength(2);
      const [first, ...others] = ends.map(({ stdout }) => parseRun(stdout));
      for (const other of others) expect(other).toEqual(first);
      expect(await readFile(join(workspace.dir, "ran.txt"), "utf8")).toBe("ran\n");
    }),
  );

  test.concurrent(
    "shares the server with another run of the project, and each ends well",
    inWorkspace(async (workspace) => {
      await workspace.write("one.json", shellPlan("one", meet("one.here", "two.here")));
      await workspace.write("two.json", shellPlan("two", meet("two.here", "go")));
      const one = workspace.start("run", "one.json", "--concurrency", "1");
      const two = workspace.start("run", "two.json", "--concurrency", "1");
      await Promise.all([one, two].map((run) => run.printed(/a\[0\] attempt 1 started/)));
      expect(serversOf(await workspace.processes())).toBe(1);
      await one.printed(/run succeeded/);
      await workspace.write("go", "");
      const ends = await Promise.all([one.ended(), two.ended()]);
      expect(ends.map(({ code }) => code)).toEqual([0, 0]);
      expect(await workspace.processes()).toEqual([]);
      expect((await workspace.read("ls", "--json")).match(/"status":"succeeded"/g)).toHaveLength(2);
    }),
  );

  test.concurrent(
    "belongs to the project, whatever its directory and the one it is started from",
    inWorkspace(async (workspace) => {
      await workspace.write("deep/down/plan.json", shellPlan("deep", "cat note.txt"));
      await workspace.write("deep/down/note.txt", "from below");
      const { code, stdout } = await workspace.inside("deep").run("run", "down/plan.json");
      expect(code).toBe(0);
      const [, file = ""] = /^ {2}outputs +a .* (\/.*)$/m.exec(stdout) ?? [];
      expect(file.startsWith(join(workspace.dir, ".fanfold/runs/"))).toBe(true);
      expect(await readFile(file, "utf8")).toBe("from below");
      expect(existsSync(join(workspace.dir, "deep/.fanfold"))).toBe(false);
    }),
  );
});

describe("a run that is not there", () => {
  test.concurrent(
    "ends a command with 4; one that is over cannot be cancelled, nor retried when nothing failed",
    inWorkspace(async (workspace) => {
      const none = await workspace.run("status", "@latest");
      expect(none).toMatchObject({ code: 4, stderr: expect.stringContaining("there are no runs yet") });
      await workspace.write("plan.json", HELLO);
      await workspace.read("run", "plan.json", "--run-id", "x-1");
      await workspace.read("run", "plan.json", "--run-id", "x-2");
      const expected: [args: string[], code: number, told: string][] = [
        [["status", "x-"], 4, "x- is the beginning of 2 runs: x-2, x-1"],
        [["cancel", "nope"], 4, "there is no run nope"],
        [["logs", "x-1", "--phase", "nope"], 4, "run x-1 has no phase nope"],
        [["cancel", "x-1"], 5, "run x-1 is over: succeeded"],
        [["retry", "x-1"], 5, "nothing failed"],
      ];
      const ends = await Promise.all(expected.map(([args]) => workspace.run(...args)));
      for (const [index, [, code, told]] of expected.entries()) {
        expect(ends[index]).toMatchObject({ code, stderr: expect.stringContaining(told) });
      }
    }),
  );
});

describe("a retry", () => {
  test.concurrent(
    "after the cause is gone runs again only what failed, and what waited for it",
    inWorkspace(async (workspace) => {
      await writeBroken(workspace);
      expect((await workspace.run("run", "plan.json")).code).toBe(1);
      await workspace.write("mended", "");
      const { code, stdout, stderr } = await workspace.run("retry", "@latest");
      expect(code).toBe(0);
      expect(stderr).toContain("retrying fan[1], fan[2]");
      expect(stdout).toMatch(/^ {2}shards +5 of 5 succeeded$/m);
      const starts = (await workspace.journal()).filter(({ event }) => event === "shard_started");
      const names = starts.map(({ phase, shard, attempt }) => `${phase}[${shard}]#${attempt}`).sort();
      expect(names).toEqual(["fan[0]#1", "fan[1]#1", "fan[1]#2", "fan[2]#1", "fan[2]#2", "fan[3]#1", "next[0]#1"]);
      expect(await workspace.read("logs", "@latest", "--phase", "next")).toContain(
        '{"n":0}\n{"n":1}\n{"n":2}\n{"n":3}\n',
      );
    }),
  );

  test.concurrent(
    "of one shard retries no other, and in vain ends with 1 again",
    inWorkspace(async (workspace) => {
      await writeBroken(workspace);
      expect((await workspace.run("run", "plan.json")).code).toBe(1);
      const { code, stdout } = await workspace.run("retry", "@latest", "--phase", "fan", "--shard", "2", "--json");
      expect(code).toBe(1);
      expect(parseRun(stdout)).toMatchObject({ status: "failed", attempts: 5 });
    }),
  );
});
