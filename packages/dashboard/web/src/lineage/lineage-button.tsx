import type { ReactNode } from "react";
import { navigate, usePlace } from "../routing/navigation.tsx";
import { runPath } from "../routing/route.ts";
import { useRunScope } from "../run/run-context.tsx";

interface LineageButtonProps {
  /** A phase, `PHASE@r2`, or the id of an artifact. */
  readonly of: string;
  readonly className?: string;
}

/** Shows what something was made from, and what was made of it; what is chosen stays chosen. */
export function LineageButton({ of, className }: LineageButtonProps): ReactNode {
  const { run } = useRunScope();
  const { search } = usePlace();
  const show = (): void => {
    const next = new URLSearchParams(search);
    next.set("view", "lineage");
    next.set("of", of);
    navigate(`${runPath(run.run_id)}?${next}`);
  };
  return (
    <button type="button" className={className} onClick={show}>
      Lineage
    </button>
  );
}
