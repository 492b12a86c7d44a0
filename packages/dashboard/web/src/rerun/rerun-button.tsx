import { lazy, type ReactNode, Suspense, useState } from "react";

const RerunDialog = lazy(() => import("./rerun-dialog.tsx").then((module) => ({ default: module.RerunDialog })));

interface RerunButtonProps {
  readonly runId: string;
  /** Phase to run again; null: whatever is out of date. */
  readonly phase: string | null;
  readonly className?: string;
  readonly onDone: () => void;
}

/** Opens the dialog of a rerun. Whoever may only look can see there what would run. */
export function RerunButton({ runId, phase, className = "", onDone }: RerunButtonProps): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const title = phase === null ? "Bring up to date" : `Rerun ${phase}`;
  return (
    <>
      <button type="button" className={className} onClick={() => setIsOpen(true)}>
        {phase === null ? "Bring up to date…" : "Rerun…"}
      </button>
      {isOpen ? (
        <Suspense fallback={null}>
          <RerunDialog runId={runId} phase={phase} title={title} onClose={() => setIsOpen(false)} onDone={onDone} />
        </Suspense>
      ) : null}
    </>
  );
}
