import type { ReactNode } from "react";
/** Soon. */
export function WorkersPage(): ReactNode { return <p>soon</p>; }
