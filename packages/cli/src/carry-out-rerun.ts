import { rerunDocument } from "@fanfold/core";
import type { RerunOrder, RerunPreview } from "@fanfold/engine";
import { carryRun } from "./carry-run.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Session } from "./session.ts";
import { print, say, styleOf } from "./terminal.ts";
import { renderRerun } from "./view/rerun-text.ts";

/** What the commands that run something again have in common. */
export interface RerunHow {
  readonly preview?: boolean;
  readonly json?: boolean;
  readonly concurrency: number;
}

/** Previews a rerun, or carries it out: here on an embedded Redis, else by the schedulers and workers there are. */
export async function carryOutRerun(
  session: Session,
  runId: string,
  order: RerunOrder,
  { preview = false, json = false, concurrency }: RerunHow,
): Promise<ExitCode> {
  if (preview) {
    const planned = await session.engine.previewRerun(runId, order);
    print(json ? JSON.stringify(rerunDocument(runId, planned)) : renderRerun(planned, styleOf(process.stdout)));
    return planned.problems.length === 0 ? EXIT.ok : EXIT.refused;
  }
  const planned = await session.engine.rerun(runId, order, "cli");
  const isOver = (await session.store.runs.get(runId)).finished_at_ms !== null;
  if (isUpToDate(planned) && (isOver || !session.isEmbedded)) {
    if (json) print(JSON.stringify(rerunDocument(runId, planned)));
    else say(isOver ? `run ${runId} is up to date: nothing to do` : `run ${runId} goes on: nothing more to do`);
    return EXIT.ok;
  }
  if (!session.isEmbedded) {
    print(json ? JSON.stringify(rerunDocument(runId, planned)) : renderRerun(planned, styleOf(process.stdout)));
    return EXIT.ok;
  }
  if (!isUpToDate(planned)) say(renderRerun(planned, styleOf(process.stderr)));
  return carryRun(session, runId, { concurrency, json });
}

function isUpToDate({ steps, diff }: RerunPreview): boolean {
  return steps.length === 0 && (diff === undefined || (diff.changed.size === 0 && diff.removed.length === 0));
}
