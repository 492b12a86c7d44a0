import { type RunView, shellWord, waitingApprovals } from "@fanfold/core";

/** Phases that wait for a person of which it is said how to answer; the others are in the table. */
const MAX_TOLD = 3;

/** What to type to answer a phase that waits for a person. */
export function approveCommand(runId: string, phase: string): string {
  return `fanfold approve ${shellWord(runId)} ${shellWord(phase)}`;
}

/** What to type to answer the phases of a run that wait for a person. */
export function approveCommands(view: RunView): string[] {
  return waitingApprovals(view)
    .slice(0, MAX_TOLD)
    .map(({ phase }) => approveCommand(view.run_id, phase));
}
