import { describe, expect, test } from "vitest";
import { inDeployment, inWorkspace } from "./site.ts";

const LOOP = "examples/dev-test-loop/plan.yaml";
/** Asks for a child in its first attempt, and says in the next one what it made. */
const SPAWN = `if [ "$FANFOLD_SPAWN_ROUND" = 0 ]; then
  echo '{"type":"spawn","phase":"dev","key":"fix"}' >> "$FANFOLD_EVENTS"
else cat "$FANFOLD_SPAWNED/fix/dev"; fi`;
/** Notes its process, and ends when `go` is there. */
const GATED =
  "echo $$$$ > child-$FANFOLD_ATTEMPT.pid; while [ ! -e go ]; do sleep 0.02; done; echo made by $FANFOLD_ATTEMPT";

const PLAN = {
  plan_id: "loop",
  version: "1",
  phases: [
    { id: "test", command: SPAWN, shell: true },
    { id: "dev", command: GATED, shell: true, enabled: false, spawnable: true },
  ],
};

describe("examples/dev-test-loop", () => {
  test(
    "the test fails twice and has the program mended twice; the third time it is right",
    inWorkspace(async (workspace) => {
      await workspace.copyExample("dev-test-loop");
      const { code, stdout, stderr } = await workspace.run("run", LOOP);
      expect(code, stderr).toBe(0);
      const [, output = ""] = /outputs +ship .* (\S+\/ship)$/m.exec(stdout) ?? [];
      expect(await workspace.waitForFile(output.slice(workspace.dir.length + 1))).toBe("1994 MCMXCIV\n2026 MMXXVI\n");
      const told = (await workspace.journal()).filter(({ event }) => /^(phase|shard)_spawned$/.test(event));
      expect(
        told.map(({ message }) => message.replaceAll(/\.[0-9a-f]{12}\]/g, "]").replace(/ after .*? and/, " and")),
      ).toEqual([
        "test[0] attempt 1 spawned dev[spawned=round-1] and waits for it",
        'dev[spawned=round-1] was spawned by test[0] attempt 1: toRoman(4) is "IIII", not "IV"',
        "test[0] attempt 2 spawned dev[spawned=round-2] and waits for it",
        'dev[spawned=round-2] was spawned by test[0] attempt 2: toRoman(0) is "", not "RangeError: 0 has no Roman numeral"',
      ]);
      const { phases } = await workspace.status();
      expect(phases.filter(({ phase }) => phase.startsWith("dev[")).map(({ status }) => status)).toEqual([
        "succeeded",
        "succeeded",
      ]);
    }),
  );
});

test(
  "a worker is killed while it runs a child: another one runs it again, once, and the spawner goes on",
  inDeployment(async (deployment) => {
    const first = await deployment.workspace("first");
    const [, worker] = await Promise.all([deployment.startScheduler(), deployment.startWorker(first)]);
    await deployment.desk.write("plan.json", PLAN);
    const watch = deployment.desk.start("submit", "plan.json", "--wait", "--run-id", "x");
    await first.waitForFile("child-1.pid");
    worker.kill("SIGKILL");
    const successor = await deployment.workspace("successor");
    await successor.write("go", "");
    await deployment.startWorker(successor);
    const { code, stderr } = await watch.ended();
    expect(code, stderr).toBe(0);
    const journal = await deployment.desk.journal("x");
    const count = (event: string): number => journal.filter((line) => line.event === event).length;
    expect([count("phase_spawned"), count("shard_spawned"), count("shard_resumed"), count("shard_lost")]).toEqual([
      1, 1, 1, 1,
    ]);
    expect(await deployment.desk.read("logs", "x", "--phase", "test")).toContain("made by 2\n");
  }),
);
