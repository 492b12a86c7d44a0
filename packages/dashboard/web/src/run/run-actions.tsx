import { type ReactNode, useState } from "react";
import { asApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";
import { cliCommand } from "../format/cli-command.ts";
import { useNotices } from "../shell/notices.tsx";
import { useMayAct } from "../shell/session.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Modal } from "../ui/modal.tsx";

/** Something that can be done to a run or a part of it. */
export interface RunAction {
  readonly title: string;
  readonly runId: string;
  readonly verb: "cancel" | "pause" | "resume" | "retry";
  readonly body?: Readonly<Record<string, unknown>>;
  /** The same as a command line. */
  readonly command: string;
  /** What it costs, to be confirmed; absent where it costs nothing. */
  readonly warning?: string;
  readonly isDangerous?: boolean;
}

interface ActionButtonProps {
  readonly action: RunAction;
  readonly onDone: () => void;
  readonly className?: string;
}

/** Does an action, asking first where it costs. Whoever may only look finds it disabled. */
export function ActionButton({ action, onDone, className = "" }: ActionButtonProps): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const mayAct = useMayAct();
  const tell = useNotices();
  const act = async (): Promise<void> => {
    setIsAsking(false);
    setIsBusy(true);
    try {
      const answer = await send<{ retried?: readonly string[] }>(
        "POST",
        apiPath(["runs", action.runId, action.verb]),
        action.body,
      );
      tell(doneText(action, answer.retried?.length));
      onDone();
    } catch (thrown) {
      const { message, why, nextAction } = asApiError(thrown);
      tell([message, why, nextAction].filter(Boolean).join("; "), true);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <>
      <button
        type="button"
        className={`${className} ${action.isDangerous === true ? "danger" : ""}`}
        disabled={!mayAct || isBusy}
        title={mayAct ? action.command : "you may look, not change"}
        onClick={() => (action.warning === undefined ? void act() : setIsAsking(true))}
      >
        {action.title}
      </button>
      {isAsking ? (
        <Confirmation action={action} onClose={() => setIsAsking(false)} onConfirm={() => void act()} />
      ) : null}
    </>
  );
}

interface ConfirmationProps {
  readonly action: RunAction;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
}

function Confirmation({ action, onClose, onConfirm }: ConfirmationProps): ReactNode {
  return (
    <Modal label={action.title} onClose={onClose}>
      <h2>{action.title}?</h2>
      <p>{action.warning}</p>
      <p className="command-line">
        <code>{action.command}</code>
        <CopyButton text={action.command} label="Copy as command" />
      </p>
      <div className="modal-buttons">
        <button type="button" onClick={onClose}>
          Do nothing
        </button>
        <button
          type="button"
          className={action.isDangerous === true ? "danger" : "primary"}
          autoFocus
          onClick={onConfirm}
        >
          {action.title}
        </button>
      </div>
    </Modal>
  );
}

function doneText({ verb, runId }: RunAction, retried: number | undefined): string {
  if (verb === "retry")
    return retried === undefined
      ? "retried; the run carries on"
      : `retried ${retried} ${retried === 1 ? "shard" : "shards"}; the run carries on`;
  return `${{ cancel: "cancelled", pause: "paused", resume: "resumed" }[verb]} ${runId}`;
}

/** Retry of shards that failed for good: of the run, of a phase, or of some shards. */
export function retryAction(runId: string, phase: string | null, shards: readonly number[] = []): RunAction {
  const words: (string | number)[] = ["retry", runId, ...(phase === null ? [] : ["--phase", phase])];
  const [first] = shards;
  if (shards.length === 1 && first !== undefined) {
    return {
      title: "Retry shard",
      runId,
      verb: "retry",
      body: { phase, shard: first },
      command: cliCommand(...words, "--shard", first),
    };
  }
  if (shards.length > 1) {
    const command = shards.map((shard) => cliCommand(...words, "--shard", shard)).join(" && ");
    return { title: `Retry ${shards.length} selected`, runId, verb: "retry", body: { phase, shards }, command };
  }
  const body = phase === null ? { all_failed: true } : { phase, all_failed: true };
  return {
    title: phase === null ? "Retry all failed" : "Retry failed shards",
    runId,
    verb: "retry",
    body,
    command: cliCommand(...words),
    warning: `Every shard ${phase === null ? "of the run" : `of ${phase}`} that failed for good is tried again with a full retry budget, and what was skipped because of it carries on.`,
  };
}

/** Cancels a run, or a part of it. */
export function cancelAction(runId: string, phase: string | null = null, shard: number | null = null): RunAction {
  const what = phase === null ? "run" : shard === null ? "phase" : "shard";
  const words = [
    "cancel",
    runId,
    ...(phase === null ? [] : ["--phase", phase]),
    ...(shard === null ? [] : ["--shard", shard]),
  ];
  return {
    title: `Cancel ${what}`,
    runId,
    verb: "cancel",
    body: { ...(phase === null ? {} : { phase }), ...(shard === null ? {} : { shard }) },
    command: cliCommand(...words),
    warning: `Nothing new of this ${what} starts, and what runs is killed. Outputs so far are kept.`,
    isDangerous: true,
  };
}
