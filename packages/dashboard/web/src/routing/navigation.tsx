import {
  type AnchorHTMLAttributes,
  type MouseEvent,
  type ReactNode,
  useCallback,
  useMemo,
  useSyncExternalStore,
} from "react";
import { BASE_PATH } from "../api/client.ts";

const CHANGED = "fanfold-navigation";

/** Goes to a path of the page; `isReplaced` leaves no entry in the history. */
export function navigate(path: string, { isReplaced = false } = {}): void {
  const address = `${BASE_PATH}${path.slice(1)}`;
  if (isReplaced) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  globalThis.dispatchEvent(new Event(CHANGED));
}

/** Path below the page's base, with a slash before it, and the query. */
export function usePlace(): { readonly path: string; readonly search: URLSearchParams } {
  const address = useSyncExternalStore(subscribe, () => `${location.pathname}${location.search}`);
  return useMemo(() => {
    const { pathname, searchParams } = new URL(address, location.origin);
    return {
      path: pathname.startsWith(BASE_PATH) ? `/${pathname.slice(BASE_PATH.length)}` : pathname,
      search: searchParams,
    };
  }, [address]);
}

/** Values to put into the query; `null` takes one out. */
export type SearchChange = Readonly<Record<string, string | null>>;

/** The query, and a way to change it that leaves one history entry a change, or none. */
export function useSearch(): [URLSearchParams, (change: SearchChange, options?: { isReplaced?: boolean }) => void] {
  const { search } = usePlace();
  const change = useCallback((values: SearchChange, { isReplaced = true } = {}) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === "") next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString();
    const path = `/${location.pathname.slice(BASE_PATH.length)}${text === "" ? "" : `?${text}`}`;
    navigate(path, { isReplaced });
  }, []);
  return [search, change];
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { readonly to: string; readonly children: ReactNode };

/** A link within the page; a click with a modifier opens it as the browser does. */
export function Link({ to, children, onClick, ...rest }: LinkProps): ReactNode {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !isPlain) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a {...rest} href={`${BASE_PATH}${to.slice(1)}`} onClick={follow}>
      {children}
    </a>
  );
}

function subscribe(onChange: () => void): () => void {
  globalThis.addEventListener("popstate", onChange);
  globalThis.addEventListener(CHANGED, onChange);
  return () => {
    globalThis.removeEventListener("popstate", onChange);
    globalThis.removeEventListener(CHANGED, onChange);
  };
}
