import { join } from "node:path";
import { isRunOver, runDocument, type RunView } from "@fanfold/core";
import { type ExitCode, EXIT, exitCodeOfRun } from "./exit-codes.ts";
import { followRun } from "./follow-run.ts";
import { type LocalServiceOptions, startLocalServices } from "./local-services.ts";
import { readFailureLogs, runDirOf, writeOutputs } from "./run-outputs.ts";
import type { Session } from "./session.ts";
import { print, say, styleOf } from "./terminal.ts";
import { renderSummary } from "./view/run-summary-text.ts";

/** Failures whose last output a summary shows. */
const SHOWN_FAILURES = 3;

/** How a run is carried to its end in this process. */
export interface CarryOptions extends Omit<LocalServiceOptions, "pools"> {
  readonly json?: boolean;
}

/**
 * Carries a run to its end with a scheduler and a worker inside this process: shows it, writes its outputs and
 * prints its summary. The first Ctrl-C cancels the run and waits for its processes to be gone, the second
 * leaves at once.
 */
export async function carryRun(
  session: Session,
  runId: string,
  { json = false, ...options }: CarryOptions,
): Promise<ExitCode> {
  await sayWhatElseGoesOn(session, runId);
  const { plan } = await session.engine.plan(runId);
  const pools = ["default", ...plan.phases.map(({ pool }) => pool)];
  const services = await startLocalServices(session, { ...options, pools });
  const interrupts = cancelOnInterrupt(session, runId);
  try {
    const journalFile = join(runDirOf(session, runId), "journal.jsonl");
    const view = await followRun(session, runId, {
      quiet: json,
      journalFile,
      signal: new AbortController().signal,
    });
    await reportEnd(session, view, json);
    return exitCodeOfRun(view.status);
  } finally {
    interrupts.dispose();
    await services.stop();
  }
}

/** Nothing is lost: what an earlier process left unfinished goes on as soon as a worker is there. */
async function sayWhatElseGoesOn(session: Session, runId: string): Promise<void> {
  const others = (await session.store.runs.listLive()).filter((id) => id !== runId);
  if (others.length === 0 || !session.isEmbedded) return;
  say(
    `${others.length} unfinished ${others.length === 1 ? "run goes" : "runs go"} on too: ${others.slice(0, 5).join(", ")}`,
  );
}

/** Shows a run that is carried by others to its end; Ctrl-C only stops watching. */
export async function watchRun(session: Session, runId: string, { json }: { json: boolean }): Promise<ExitCode> {
  const watching = new AbortController();
  const detach = (): void => watching.abort();
  process.once("SIGINT", detach);
  try {
    const view = await followRun(session, runId, { quiet: json, signal: watching.signal });
    if (!isRunOver(view.status)) {
      say(`no longer watching; the run goes on. To cancel it: fanfold cancel ${runId}`);
      return EXIT.ok;
    }
    await reportEnd(session, view, json);
    return exitCodeOfRun(view.status);
  } finally {
    process.off("SIGINT", detach);
  }
}

async function reportEnd(session: Session, view: RunView, json: boolean): Promise<void> {
  const outputs = view.status === "succeeded" ? await writeOutputs(session, view.run_id) : [];
  if (json) return print(JSON.stringify({ ...runDocument(view), outputs }));
  const logs = view.status === "failed" ? await readFailureLogs(session, view, SHOWN_FAILURES) : undefined;
  print(renderSummary(view, { outputs, logs }, styleOf(process.stdout)));
}

function cancelOnInterrupt(session: Session, runId: string): { dispose(): void } {
  let isAsked = false;
  const onSignal = (): void => {
    if (isAsked) process.exit(EXIT.cancelled);
    isAsked = true;
    say(`\ncancelling ${runId}: waiting for its processes to end; press Ctrl-C again to leave at once`);
    session.engine.cancel(runId, "terminal").catch((error: unknown) => say(`cannot cancel: ${String(error)}`));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    dispose() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
