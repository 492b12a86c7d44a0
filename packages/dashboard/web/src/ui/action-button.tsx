import { type ReactNode, useState } from "react";
import { asApiError } from "../api/api-error.ts";
import { send } from "../api/client.ts";
import { useNotices } from "../shell/notices.tsx";
import { useMayAct } from "../shell/session.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Modal } from "./modal.tsx";

/** What the API may say of something that was done. */
export interface ActionAnswer {
  readonly retried?: readonly string[];
  readonly versions?: readonly string[];
  readonly files?: number;
  readonly bytes?: number;
  readonly remark?: string | null;
}

/** Something that can be done. */
export interface Action {
  readonly title: string;
  /** The title and what it is about, where its button stands among others of its kind. */
  readonly label?: string;
  /** `POST` when missing. */
  readonly method?: "DELETE";
  /** Where it is asked for, below the API. */
  readonly path: string;
  /** What is said when it is done. */
  readonly done: (answer: ActionAnswer) => string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** The same as a command line. */
  readonly command: string;
  /** What it costs, to be confirmed; absent where it costs nothing. */
  readonly warning?: string;
  readonly isDangerous?: boolean;
}

interface ActionButtonProps {
  readonly action: Action;
  readonly onDone: () => void;
  readonly className?: string;
  /** Stands in place of the title, which only the action's label then says. */
  readonly icon?: ReactNode;
}

/** Does an action, asking first where it costs. Whoever may only look finds it disabled. */
export function ActionButton({ action, onDone, className = "", icon }: ActionButtonProps): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const mayAct = useMayAct();
  const tell = useNotices();
  const act = async (): Promise<void> => {
    setIsAsking(false);
    setIsBusy(true);
    try {
      const answer = await send<ActionAnswer>(action.method ?? "POST", action.path, action.body);
      tell(action.done(answer));
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
        {...(action.label === undefined ? {} : { "aria-label": action.label })}
      >
        {icon ?? action.title}
      </button>
      {isAsking ? (
        <Confirmation action={action} onClose={() => setIsAsking(false)} onConfirm={() => void act()} />
      ) : null}
    </>
  );
}

interface ConfirmationProps {
  readonly action: Action;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
}

function Confirmation({ action, onClose, onConfirm }: ConfirmationProps): ReactNode {
  return (
    <Modal label={action.title} onClose={onClose}>
      <h2>{action.label ?? action.title}?</h2>
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
