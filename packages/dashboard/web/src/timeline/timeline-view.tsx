import type { ReactNode } from "react";
/** Soon. */
export function TimelineView(): ReactNode { return <p>soon</p>; }
