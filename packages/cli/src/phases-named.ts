import { CliError, EXIT } from "./exit-codes.ts";
import type { Session } from "./session.ts";

/** Ids of the instances of a phase of a run. @throws {CliError} when the run has no such phase */
export async function phasesNamed(session: Session, runId: string, phase: string): Promise<ReadonlySet<string>> {
  const { graph } = await session.engine.plan(runId);
  const ids = graph.instances(phase);
  if (ids.length > 0) return new Set(ids);
  const some = graph.ids.slice(0, 10).join(", ");
  throw new CliError(EXIT.notFound, `run ${runId} has no phase ${phase}; it has ${some}`);
}
