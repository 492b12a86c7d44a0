import type { MAX_COMMENT_CHARS } from "@fanfold/schemas";
import { type ReactNode, useId, useState } from "react";
import { asApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";
import type { PhaseDetail } from "../api/shapes.ts";
import { cliCommand } from "../format/cli-command.ts";
import { durationText } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { useNotices } from "../shell/notices.tsx";
import { useMayAct } from "../shell/session.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { useRunScope } from "./run-context.tsx";
import "./approval-form.css";

/** The type keeps it the same as the API's. */
const MAX_CHARS: typeof MAX_COMMENT_CHARS = 2_000;

/** What a person is asked by a phase, and the two answers; nothing for the phases that ask nobody. */
export function ApprovalForm({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const { run } = useRunScope();
  const [comment, setComment] = useState("");
  const field = useId();
  const { approval } = phase;
  if (approval === null) return null;
  const words = ["approve", run.run_id, phase.phase];
  const said = comment.trim() === "" ? [] : ["--comment", comment.trim()];
  return (
    <section className="approval" aria-label="Approval">
      <p className="approval-question">{approval.message ?? "This phase waits for an approval."}</p>
      <Wait approval={approval} />
      <label htmlFor={field}>Comment</label>
      <textarea
        id={field}
        rows={2}
        maxLength={MAX_CHARS}
        value={comment}
        onChange={({ target }) => setComment(target.value)}
      />
      <AnswerButtons phase={phase} comment={comment.trim()} />
      <p className="command-line">
        <code>{cliCommand(...words, ...said)}</code>
        <CopyButton text={cliCommand(...words, ...said)} label="Copy as command" />
        <CopyButton text={cliCommand(...words, "--reject", ...said)} label="Copy the rejection" />
      </p>
    </section>
  );
}

function Wait({ approval }: { readonly approval: NonNullable<PhaseDetail["approval"]> }): ReactNode {
  const nowMs = useNow(true);
  const { since_ms: sinceMs, until_ms: untilMs } = approval;
  const left = untilMs === null ? "" : `, ${durationText(Math.max(0, untilMs - nowMs))} left`;
  return (
    <p className="faint">
      Asked {durationText(Math.max(0, nowMs - sinceMs))} ago{left}
    </p>
  );
}

interface AnswerProps {
  readonly phase: PhaseDetail;
  readonly comment: string;
}

/** The answer is about what is shown: one that was asked about since is another. Whoever may only look finds them disabled. */
function AnswerButtons({ phase: { phase, revision }, comment }: AnswerProps): ReactNode {
  const { run, reload } = useRunScope();
  const [isBusy, setIsBusy] = useState(false);
  const mayAct = useMayAct();
  const tell = useNotices();
  const answer = async (approved: boolean): Promise<void> => {
    setIsBusy(true);
    try {
      await send("POST", apiPath(["runs", run.run_id, "phases", phase, "approve"]), { approved, comment, revision });
      tell(`${phase} was ${approved ? "approved" : "rejected"}`);
    } catch (thrown) {
      const { message, why, nextAction } = asApiError(thrown);
      tell([message, why, nextAction].filter(Boolean).join("; "), true);
    } finally {
      setIsBusy(false);
      reload();
    }
  };
  const common = {
    type: "button",
    disabled: !mayAct || isBusy,
    title: mayAct ? "" : "you may look, not change",
  } as const;
  return (
    <div className="actions" role="group" aria-label="Answer">
      <button {...common} className="primary" onClick={() => void answer(true)}>
        Approve
      </button>
      <button {...common} className="danger" onClick={() => void answer(false)}>
        Reject
      </button>
    </div>
  );
}
