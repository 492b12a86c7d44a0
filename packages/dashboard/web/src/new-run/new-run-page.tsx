import type { ReactNode } from "react";
/** Soon. */
export function NewRunPage(): ReactNode { return <p>soon</p>; }
