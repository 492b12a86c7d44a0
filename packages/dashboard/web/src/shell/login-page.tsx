import { type FormEvent, type ReactNode, useState } from "react";
import { asApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";

/** Asks for name and password. */
export function LoginPage({ onDone }: { readonly onDone: () => void }): ReactNode {
  const [problem, setProblem] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const logIn = async (form: FormData): Promise<void> => {
    setIsBusy(true);
    try {
      await send("POST", apiPath(["login"]), { user: form.get("user"), password: form.get("password") });
      onDone();
    } catch (thrown) {
      const { message, nextAction } = asApiError(thrown);
      setProblem([message, nextAction].filter(Boolean).join(": "));
    } finally {
      setIsBusy(false);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    void logIn(new FormData(event.currentTarget));
  };
  return (
    <main className="login">
      <form className="card login-form" onSubmit={submit} aria-label="Log in">
        <h1>Fanfold</h1>
        <label>
          User
          <input name="user" autoComplete="username" required autoFocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {problem === "" ? null : (
          <p role="alert" className="problem-text">
            {problem}
          </p>
        )}
        <button type="submit" className="primary" disabled={isBusy}>
          Log in
        </button>
      </form>
    </main>
  );
}
