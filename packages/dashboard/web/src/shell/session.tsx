import type { Me } from "@fanfold/schemas";
import { createContext, type ReactNode, useContext, useEffect } from "react";
import { apiPath, LOGIN_NEEDED } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { LoginPage } from "./login-page.tsx";

const SessionContext = createContext<Me>({ user: null, role: null, is_login_needed: false });

/** Who looks at the page. */
export function useSession(): Me {
  return useContext(SessionContext);
}

/** Whether they may change anything. */
export function useMayAct(): boolean {
  return useSession().role !== "viewer";
}

/** Shows the page to whom may see it, and a form to whom has to log in first. */
export function SessionGate({ children }: { readonly children: ReactNode }): ReactNode {
  const { data, error, reload } = useResource<Me>(apiPath(["me"]));
  useEffect(() => {
    globalThis.addEventListener(LOGIN_NEEDED, reload);
    return () => globalThis.removeEventListener(LOGIN_NEEDED, reload);
  }, [reload]);
  if (data?.is_login_needed === true && data.user === null) return <LoginPage onDone={reload} />;
  if (data === undefined && error?.status === 401) return <LoginPage onDone={reload} />;
  if (data === undefined && error === undefined) return null;
  const me = data ?? { user: null, role: null, is_login_needed: false };
  return <SessionContext value={me}>{children}</SessionContext>;
}
