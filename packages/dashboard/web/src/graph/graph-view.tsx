import type { ReactNode } from "react";
/** Soon. */
export function GraphView(): ReactNode { return <p>soon</p>; }
