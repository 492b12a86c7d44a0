import { apiPath } from "../api/client.ts";
import { cliCommand } from "../format/cli-command.ts";
import { bytesText, countText } from "../format/format-text.ts";
import type { Action, ActionAnswer } from "../ui/action-button.tsx";

/** Retry of shards that failed for good: of the run, of a phase, or of some shards. */
export function retryAction(runId: string, phase: string | null, shards: readonly number[] = []): Action {
  const words: (string | number)[] = ["retry", runId, ...(phase === null ? [] : ["--phase", phase])];
  const retrying = { path: apiPath(["runs", runId, "retry"]), done: retriedText };
  const [first] = shards;
  if (shards.length === 1 && first !== undefined) {
    return {
      title: "Retry shard",
      ...retrying,
      body: { phase, shard: first },
      command: cliCommand(...words, "--shard", first),
    };
  }
  if (shards.length > 1) {
    const command = shards.map((shard) => cliCommand(...words, "--shard", shard)).join(" && ");
    return { title: `Retry ${shards.length} selected`, ...retrying, body: { phase, shards }, command };
  }
  const body = phase === null ? { all_failed: true } : { phase, all_failed: true };
  return {
    title: phase === null ? "Retry all failed" : "Retry failed shards",
    ...retrying,
    body,
    command: cliCommand(...words),
    warning: `Every shard ${phase === null ? "of the run" : `of ${phase}`} that failed for good is tried again with a full retry budget, and what was skipped because of it carries on.`,
  };
}

/** Cancels a run, or a part of it. */
export function cancelAction(runId: string, phase: string | null = null, shard: number | null = null): Action {
  const what = phase === null ? "run" : shard === null ? "phase" : "shard";
  const words = [
    "cancel",
    runId,
    ...(phase === null ? [] : ["--phase", phase]),
    ...(shard === null ? [] : ["--shard", shard]),
  ];
  return {
    title: `Cancel ${what}`,
    path: apiPath(["runs", runId, "cancel"]),
    done: () => `cancelled ${runId}`,
    body: { ...(phase === null ? {} : { phase }), ...(shard === null ? {} : { shard }) },
    command: cliCommand(...words),
    warning: `Nothing new of this ${what} starts, and what runs is killed. Outputs so far are kept.`,
    isDangerous: true,
  };
}

/** Pauses a run, or lets it go on. */
export function holdAction(runId: string, isPaused: boolean): Action {
  const verb = isPaused ? "resume" : "pause";
  return {
    title: isPaused ? "Resume" : "Pause",
    path: apiPath(["runs", runId, verb]),
    done: () => `${isPaused ? "resumed" : "paused"} ${runId}`,
    command: cliCommand(verb, runId),
  };
}

/** Removes a run that is over. */
export function removeAction(runId: string): Action {
  return {
    title: "Remove run",
    label: `Remove run ${runId}`,
    method: "DELETE",
    path: apiPath(["runs", runId]),
    done: (answer) => `removed ${runId}${removedText(answer)}`,
    command: cliCommand("rm", runId),
    warning: `Everything of ${runId} goes, for good: its record, its journal, its jobs in the queues, its logs, and those of its artifacts that no other run refers to. Nothing of it can be retried or reused afterwards.`,
    isDangerous: true,
  };
}

function removedText({ files = 0, bytes = 0, remark = null }: ActionAnswer): string {
  const count = `${countText(files)} ${files === 1 ? "file" : "files"} (${bytesText(bytes)}) of the artifact store`;
  return remark === null ? `, with ${count}` : `; files stayed: ${remark}`;
}

function retriedText({ retried }: ActionAnswer): string {
  if (retried === undefined) return "retried; the run carries on";
  return `retried ${retried.length} ${retried.length === 1 ? "shard" : "shards"}; the run carries on`;
}
