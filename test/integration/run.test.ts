import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

describe("a run", () => {
  test(
    "goes through its phases in order and ends with its last event",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "chain",
        version: "1",
        phases: [
          { id: "a", command: "echo", args: ["one"] },
          {
            id: "b",
            command: "sh",
            args: ["-c", "cat $FANFOLD_ARTIFACTS/a; echo two"],
            depends_on: ["a"],
            consumes: ["a"],
          },
        ],
      });
      expect(run.status).toBe("succeeded");
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("b")?.artifacts?.[0]?.inline).toBe("one\ntwo\n");
      expect(await deployment.story(run.run_id)).toMatchInlineSnapshot(
        `"run_queued, run_started, phase_started a, shard_started a[0], shard_succeeded a[0], artifact_persisted a, phase_succeeded a, phase_started b, shard_started b[0], shard_succeeded b[0], artifact_persisted b, phase_succeeded b, run_succeeded"`,
      );
    }),
  );

  test(
    "hands artifacts that a command reports to the phases that consume them",
    withDeployment(async (deployment) => {
      const report = `echo more > $FANFOLD_OUTPUT.x; echo "{\\"type\\":\\"artifact\\",\\"name\\":\\"extra\\",\\"path\\":\\"$FANFOLD_OUTPUT.x\\"}" >> $FANFOLD_EVENTS; echo main`;
      const run = await deployment.run({
        plan_id: "extra",
        version: "1",
        phases: [
          { id: "a", command: "sh", args: ["-c", report], provides: ["main", "extra"] },
          {
            id: "b",
            command: "sh",
            args: ["-c", "cat $FANFOLD_ARTIFACTS/extra"],
            depends_on: ["a"],
            consumes: ["extra"],
          },
        ],
      });
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("a")?.artifacts?.map(({ name }) => name)).toEqual(["main", "extra"]);
      expect(phases.get("b")?.artifacts?.[0]?.inline).toBe("more\n");
    }),
  );

  test(
    "cuts records into shards and folds their outputs in shard order",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "fan",
        version: "1",
        globals: { max_concurrency: 3 },
        phases: [
          { id: "list", command: "seq", args: ["-f", '{"n":%g}', "1", "20"] },
          {
            id: "copy",
            command: "cat $FANFOLD_INPUT",
            shell: true,
            depends_on: ["list"],
            shard: { strategy: "chunk", over: "list", chunk_size: 3 },
            merge: { strategy: "records", key: "n", complete: true },
          },
        ],
      });
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(run.status).toBe("succeeded");
      const list = phases.get("list")?.artifacts?.[0];
      const copy = phases.get("copy")?.artifacts?.[0];
      expect(copy?.inline).toBe(list?.inline);
    }),
  );
});
