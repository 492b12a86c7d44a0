import type { ReactNode } from "react";
import type { LiveState } from "../api/live-stream.ts";

const TEXTS: Readonly<Record<LiveState, string>> = {
  connecting: "connecting",
  live: "live",
  lost: "connection lost, trying again",
  idle: "asleep",
};

/** Whether what is shown is up to date. */
export function LiveLabel({ state }: { readonly state: LiveState }): ReactNode {
  return (
    <span className={`live-label live-${state}`} role="status">
      <span className="live-dot" aria-hidden="true" />
      {TEXTS[state]}
    </span>
  );
}
