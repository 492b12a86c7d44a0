import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { type Deployment } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Records too large for Redis. */
const MAKE = { id: "make", command: "seq", args: ["-f", '{"n":%g}', "1", "4000"] };

/** The records are made; then something happens to the file of the artifact store; then they are used. */
function plan({ dir }: Deployment, damage: string, use: object): PlanInput {
  const files = join(dir, "artifacts", "sha256");
  return {
    plan_id: "damaged",
    version: "1",
    phases: [
      MAKE,
      {
        id: "damage",
        command: damage.replaceAll("FILE", `$(find ${files} -type f)`),
        shell: true,
        depends_on: ["make"],
      },
      {
        id: "use",
        command: "cat $FANFOLD_ARTIFACTS/make $FANFOLD_INPUT",
        shell: true,
        depends_on: ["make", "damage"],
        ...use,
      },
    ],
  };
}

async function failureOf(deployment: Deployment, runId: string, event: string): Promise<string> {
  const line = (await deployment.journal(runId)).find((one) => one.event === event);
  return JSON.stringify(line?.data);
}

test(
  "an attempt that is given damaged content fails with its name, and starts nothing",
  withDeployment(async (deployment) => {
    const { run_id } = await deployment.run(
      plan(deployment, "chmod u+w FILE && printf x >> FILE", { consumes: ["make"] }),
    );
    const failure = await failureOf(deployment, run_id, "shard_failed");
    expect(failure).toContain("ARTIFACT_CORRUPT");
    expect(failure).toMatch(/artifact [0-9a-f]{64} is corrupt.*holds \d+ bytes with hash [0-9a-f]{64}/);
  }),
);

test(
  "content that is gone fails the attempt, too",
  withDeployment(async (deployment) => {
    const { run_id } = await deployment.run(plan(deployment, "rm FILE", { consumes: ["make"] }));
    expect(await failureOf(deployment, run_id, "shard_failed")).toMatch(/ARTIFACT_NOT_FOUND.*is not at/);
  }),
);

test(
  "a phase whose records are damaged fails, and can be retried when they are put right",
  withDeployment(async (deployment) => {
    const shard = { strategy: "chunk", over: "make", chunk_size: 2000 };
    const use = { shard, merge: { strategy: "concat" }, command: "wc -l < $FANFOLD_INPUT" };
    const { run_id } = await deployment.run(plan(deployment, "chmod u+w FILE && printf x >> FILE", use));
    expect(await failureOf(deployment, run_id, "phase_failed")).toMatch(/expansion_failed.*is corrupt/);
    // another run makes the same bytes
    await deployment.run({ plan_id: "same", version: "1", phases: [MAKE] });
    await deployment.engine.retry(run_id, {}, "test");
    expect((await deployment.ended(run_id)).status).toBe("succeeded");
  }),
);
