import type { ReactNode } from "react";
import type { ApiError } from "../api/api-error.ts";

/** Nothing to show, and what to do about it. */
export function EmptyState({ title, children }: { readonly title: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="state">
      <p className="state-title">{title}</p>
      {children === undefined ? null : <div className="state-body">{children}</div>}
    </div>
  );
}

/** Lines where content is about to be. */
export function LoadingState({ label, lines = 4 }: { readonly label: string; readonly lines?: number }): ReactNode {
  return (
    <div className="state-loading" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className="skeleton" />
      ))}
    </div>
  );
}

/** Something could not be read. */
export function ErrorState({ error, onRetry }: { readonly error: ApiError; readonly onRetry?: () => void }): ReactNode {
  return (
    <div className="state state-error" role="alert">
      <p className="state-title">{error.message}</p>
      {error.why === "" ? null : <p>{error.why}</p>}
      {error.nextAction === "" ? null : <p className="faint">{error.nextAction}</p>}
      {onRetry === undefined ? null : (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
