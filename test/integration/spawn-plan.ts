import type { PlanInput } from "@fanfold/schemas";
import type { Deployment } from "@fanfold/testkit";

type PhaseInput = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** A request to spawn `dev`, as a line of a shell script. */
export function ask(key: string, more: Readonly<Record<string, unknown>> = {}): string {
  return `echo '${JSON.stringify({ type: "spawn", phase: "dev", key, ...more })}' >> "$FANFOLD_EVENTS"`;
}

/** What a test changes of the phases. */
export interface SpawnPlanChanges {
  readonly test?: Partial<PhaseInput>;
  readonly dev?: Partial<PhaseInput>;
  readonly plan?: Partial<Extract<PlanInput, { phases: unknown }>>;
}

/** A plan whose phase `test` runs this script; `dev` takes no part of its own accord, and `ship` comes after `test`. */
export function spawnPlan(script: string, { test = {}, dev = {}, plan = {} }: SpawnPlanChanges = {}): PlanInput {
  return {
    plan_id: "loop",
    version: "1",
    phases: [
      { id: "test", command: script, shell: true, ...test },
      { id: "dev", command: "sh", args: ["-c", 'cat "$FANFOLD_SPAWN"'], enabled: false, spawnable: true, ...dev },
      { id: "ship", command: "cat $FANFOLD_ARTIFACTS/test", shell: true, depends_on: ["test"], consumes: ["test"] },
    ],
    ...plan,
  };
}

/** Spawns once, under `key`, and is done with after that. */
export function spawnOnce(key = "fix", more: Readonly<Record<string, unknown>> = {}): string {
  return `if [ "$FANFOLD_SPAWN_ROUND" = 0 ]; then ${ask(key, more)}; else echo done in attempt $FANFOLD_ATTEMPT; fi`;
}

/** First output of a phase, in one line. */
export async function outputOf({ store }: Deployment, runId: string, phase: string): Promise<string> {
  return (await store.runs.loadPhases(runId)).get(phase)?.artifacts?.[0]?.inline?.trim() ?? "";
}

/** Ids of the phases that were spawned, in the order of the plan. */
export async function childrenOf({ store }: Deployment, runId: string): Promise<string[]> {
  const { plan } = await store.runs.loadPlan(runId);
  return plan.phases.filter(({ spawned }) => spawned !== undefined).map(({ id }) => id);
}

/** The one phase that was spawned. */
export async function onlyChild(deployment: Deployment, runId: string): Promise<string> {
  const [child, ...others] = await childrenOf(deployment, runId);
  if (child === undefined || others.length > 0) throw new Error(`not one child: ${child}, ${others.join(", ")}`);
  return child;
}

/** Statuses of the phases by id; the id of a child without what makes it unique. */
export async function statuses({ store }: Deployment, runId: string): Promise<Record<string, string>> {
  const records = await store.runs.loadPhases(runId);
  return Object.fromEntries([...records].map(([id, { status }]) => [shortId(id), status]));
}

/** `dev[spawned=fix]` instead of `dev[spawned=fix.0f3a9c27b1de]`. */
export function shortId(id: string): string {
  return id.replace(/\.[0-9a-f]{12}\]$/, "]");
}

/** Why the shards that failed did. */
export async function failuresOf(deployment: Deployment, runId: string): Promise<string[]> {
  const journal = await deployment.journal(runId);
  return journal
    .filter(({ event }) => event === "shard_failed")
    .map(({ phase, data }) =>
      `${shortId(phase ?? "")} ${JSON.stringify(data.error_code)}: ${JSON.stringify(data.why)}`.replaceAll('"', ""),
    );
}
