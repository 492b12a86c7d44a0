import type { ReactNode } from "react";

/** Shapes that can be told apart without colour. */
const SHAPES: Readonly<Record<string, ReactNode>> = {
  succeeded: (
    <>
      <circle cx="8" cy="8" r="7" className="shape-fill" />
      <path d="m4.8 8.3 2.2 2.2 4.3-4.8" className="shape-mark" />
    </>
  ),
  failed: (
    <>
      <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" className="shape-fill" />
      <path d="m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2" className="shape-mark" />
    </>
  ),
  running: (
    <>
      <circle cx="8" cy="8" r="6.2" className="shape-line" />
      <path d="M6.3 4.9v6.2L11.3 8z" className="shape-fill" />
    </>
  ),
  backoff: (
    <>
      <path d="M13.6 5.4A6.2 6.2 0 1 0 14.2 8" className="shape-line" />
      <path d="M14.8 2v4.4h-4.4z" className="shape-fill" />
    </>
  ),
  waiting: (
    <>
      <circle cx="8" cy="8" r="6.2" className="shape-line" />
      <path d="M8 4.6V8l2.4 1.8" className="shape-line" />
    </>
  ),
  spawned: (
    <>
      <path d="M3.2 8H7c2.6 0 1.8-4.2 4.4-4.2M7 8c2.6 0 1.8 4.2 4.4 4.2" className="shape-line" />
      <circle cx="3" cy="8" r="2.2" className="shape-fill" />
      <circle cx="12.6" cy="3.8" r="2.2" className="shape-fill" />
      <circle cx="12.6" cy="12.2" r="2.2" className="shape-fill" />
    </>
  ),
  asking: (
    <>
      <circle cx="8" cy="4.6" r="3" className="shape-fill" />
      <path d="M2 14.4c.3-3.6 2.6-5.4 6-5.4s5.7 1.8 6 5.4z" className="shape-fill" />
    </>
  ),
  pending: <circle cx="8" cy="8" r="6.2" className="shape-line shape-dashed" />,
  blocked: (
    <>
      <path d="M8 1.2 15.2 14H.8z" className="shape-fill" />
      <path d="M8 5.6v4m0 2.1v.3" className="shape-mark" />
    </>
  ),
  skipped: <path d="M2 3.5 7 8l-5 4.5zM8.5 3.5l5 4.5-5 4.5z" className="shape-fill" />,
  cancelled: (
    <>
      <circle cx="8" cy="8" r="6.2" className="shape-line" />
      <path d="m3.7 3.7 8.6 8.6" className="shape-line" />
    </>
  ),
  paused: <path d="M3.5 2.5h3v11h-3zm6 0h3v11h-3z" className="shape-fill" />,
  lost: (
    <>
      <circle cx="8" cy="8" r="7" className="shape-fill" />
      <path d="M5.9 6.2a2.1 2.1 0 1 1 2.9 2c-.6.3-.8.6-.8 1.2m0 2v.2" className="shape-mark" />
    </>
  ),
};

const ALIASES: Readonly<Record<string, string>> = { queued: "waiting", released: "waiting", timed_out: "failed" };

const WORDS: Readonly<Record<string, string>> = { asking: "waits for approval" };

/** A status in words. */
export function statusWord(status: string): string {
  return WORDS[status] ?? status.replaceAll("_", " ");
}

/** Status a colour and a shape stand for; what is not known looks pending. */
export function lookOf(status: string): string {
  const name = ALIASES[status] ?? status;
  return name in SHAPES ? name : "pending";
}

/** The icon of a status, for eyes only: its word stands beside it. */
export function StatusIcon({ status }: { readonly status: string }): ReactNode {
  const look = lookOf(status);
  return (
    <svg className={`status-icon status-${look}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {SHAPES[look]}
    </svg>
  );
}

/** A status as icon and word. */
export function StatusBadge({
  status,
  isPaused = false,
}: {
  readonly status: string;
  readonly isPaused?: boolean;
}): ReactNode {
  const isHeld = isPaused && (status === "running" || status === "queued");
  const shown = isHeld ? "paused" : status;
  return (
    <span className={`status-badge status-${lookOf(shown)}`}>
      <StatusIcon status={shown} />
      {statusWord(shown)}
    </span>
  );
}
