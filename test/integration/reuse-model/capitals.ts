import type { PlanInput } from "@fanfold/schemas";
import type { Deployment } from "@fanfold/testkit";

/** Reuse without a look at files. */
export const CACHE = { version: "1" };
/** A record of the phase. */
export type Line = { readonly scene_id: string; readonly n: number; readonly text: string };

/** Records by scene; a record's number follows from its place. */
export function lines(...scenes: readonly (readonly [scene: string, ...texts: string[]])[]): Line[] {
  return scenes.flatMap(([scene_id, ...texts], s) => texts.map((text, i) => ({ scene_id, n: s * 100 + i, text })));
}

/** Three scenes. */
export const THREE = lines(["a", "x", "y"], ["b", "z"], ["c", "w"]);

/** Each scene in capitals; `more` is put over the phase. */
export function capitals(over: readonly Line[], more: object = {}): PlanInput {
  return {
    plan_id: "capitals",
    version: "1",
    phases: [
      {
        id: "capitals",
        command: "tr xyzwv XYZWV < $FANFOLD_INPUT",
        shell: true,
        shard: { strategy: "scene", over: over.map((line) => ({ ...line })) },
        merge: { strategy: "records", key: "n" },
        cache: CACHE,
        ...more,
      },
    ],
  };
}

/** The phase with another text in scene b. */
export function change<P extends { id: string }>(phase: P): P {
  if (phase.id !== "capitals") return phase;
  const over = lines(["a", "x", "y"], ["b", "changed"], ["c", "w"]).map((line) => ({ ...line }));
  return { ...phase, shard: { strategy: "scene", over } };
}

/** The output of a phase, where it is small. */
export async function outputOf(deployment: Deployment, runId: string, phase: string): Promise<string | undefined> {
  return (await deployment.store.runs.loadPhases(runId)).get(phase)?.artifacts?.[0]?.inline;
}

/** Shards of a run that were started and reused, such as `capitals[1]`. */
export async function accountOf(
  deployment: Deployment,
  runId: string,
): Promise<{ started: string[]; reused: string[] }> {
  const journal = await deployment.journal(runId);
  const of = (name: string): string[] =>
    journal.filter(({ event }) => event === name).map(({ phase, shard }) => `${phase}[${shard}]`);
  return { started: of("shard_started").sort(), reused: of("shard_reused").sort() };
}
