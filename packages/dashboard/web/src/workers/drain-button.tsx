import type { WorkerDocument } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { apiPath } from "../api/client.ts";
import { cliCommand } from "../format/cli-command.ts";
import { ActionButton } from "../ui/action-button.tsx";

interface DrainButtonProps {
  readonly worker: WorkerDocument;
  readonly onDone: () => void;
}

/** Asks a worker to stop, or says that it is about to. */
export function DrainButton({ worker: { name, is_draining: isDraining }, onDone }: DrainButtonProps): ReactNode {
  if (isDraining) return <span className="tag tag-warning">draining</span>;
  const action = {
    title: "Drain",
    path: apiPath(["workers", name, "drain"]),
    done: () => `${name} finishes what it has and leaves`,
    command: cliCommand("worker", "drain", name),
    warning: `${name} takes nothing new, finishes what it has in the time it was given, and exits as on SIGTERM. What is not done by then runs elsewhere.`,
    isDangerous: true,
  };
  return <ActionButton action={action} onDone={onDone} className="small" />;
}
