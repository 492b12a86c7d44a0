import { type ReactNode, useEffect, useRef, useState } from "react";
import { apiPath, BASE_PATH, LOGIN_NEEDED, send } from "../api/client.ts";
import { Link, usePlace } from "../routing/navigation.tsx";
import { showWithin } from "../ui/show-within.ts";
import { useSession } from "./session.tsx";
import { nextTheme, readTheme } from "./theme.ts";

const PAGES = [
  { to: "/", title: "Runs" },
  { to: "/workers", title: "Workers" },
  { to: "/templates", title: "Templates" },
  { to: "/new", title: "New run" },
];

/** Name, pages, search and settings. */
export function TopBar({ onSearch }: { readonly onSearch: () => void }): ReactNode {
  const { path } = usePlace();
  const current = path.startsWith("/runs") ? "/" : path;
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    const link = row.current?.querySelector<HTMLElement>("[aria-current]");
    if (link && row.current) showWithin(row.current, link);
  }, [current]);
  return (
    <header className="top-bar">
      <Link to="/" className="brand">
        <img src={`${BASE_PATH}favicon.svg`} alt="" width="22" height="22" />
        <span>Fanfold</span>
      </Link>
      <nav ref={row} aria-label="Pages">
        {PAGES.map(({ to, title }) => (
          <Link key={to} to={to} {...(current === to ? { "aria-current": "page" as const } : {})}>
            {title}
          </Link>
        ))}
        <a href={`${BASE_PATH}queues`}>Queues</a>
      </nav>
      <button type="button" className="quiet search-button" onClick={onSearch} aria-keyshortcuts="Meta+K Control+K">
        <span className="wide-only">Search</span> <kbd>⌘K</kbd>
      </button>
      <ThemeButton />
      <UserButton />
    </header>
  );
}

const THEME_MARKS = { system: "◐", light: "☀", dark: "☾" };

function ThemeButton(): ReactNode {
  const [theme, setTheme] = useState(readTheme);
  return (
    <button type="button" className="quiet" onClick={() => setTheme(nextTheme)} title={`colours: ${theme}`}>
      <span aria-hidden="true">{THEME_MARKS[theme]}</span>
      <span className="unseen">Colours: {theme}</span>
    </button>
  );
}

function UserButton(): ReactNode {
  const { user, role, is_login_needed: isLoginNeeded } = useSession();
  if (user === null || !isLoginNeeded) return null;
  return (
    <button type="button" className="quiet" title={`log out ${user} (${role})`} onClick={() => void logOut()}>
      {user}, log out
    </button>
  );
}

async function logOut(): Promise<void> {
  await send("POST", apiPath(["logout"]));
  globalThis.dispatchEvent(new Event(LOGIN_NEEDED));
}
