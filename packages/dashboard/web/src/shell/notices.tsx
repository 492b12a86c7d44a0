import { createContext, type ReactNode, useCallback, useContext, useState } from "react";

/** Something to tell for a moment. */
interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isProblem: boolean;
}

type Tell = (text: string, isProblem?: boolean) => void;

const NoticeContext = createContext<Tell>(() => undefined);
const SHOWN_MS = 6_000;
let lastId = 0;

/** Tells what came of an action. */
export function useNotices(): Tell {
  return useContext(NoticeContext);
}

/** Shows notices over the page's lower edge. */
export function Notices({ children }: { readonly children: ReactNode }): ReactNode {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  const tell = useCallback<Tell>((text, isProblem = false) => {
    lastId += 1;
    const notice = { id: lastId, text, isProblem };
    setNotices((before) => [...before.slice(-3), notice]);
    setTimeout(() => setNotices((before) => before.filter(({ id }) => id !== notice.id)), SHOWN_MS);
  }, []);
  return (
    <NoticeContext value={tell}>
      {children}
      <div className="notices" role="status" aria-live="polite">
        {notices.map(({ id, text, isProblem }) => (
          <p key={id} className={isProblem ? "notice notice-problem" : "notice"}>
            {text}
          </p>
        ))}
      </div>
    </NoticeContext>
  );
}
