import type { PlanCheck } from "@fanfold/schemas";
import { useEffect, useState } from "react";
import { asApiError, type ApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";

/** A plan as somebody writes it. */
export interface PlanDraft {
  readonly text: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly baseDir: string;
  readonly runId: string;
}

const TYPING_MS = 350;

/** Whether a text is JSON rather than YAML, by its first letter. */
function formatOf(text: string): "json" | "yaml" {
  return text.trimStart().startsWith("{") ? "json" : "yaml";
}

/** The body that checks or submits a draft. What is empty is left out. */
export function draftBody({ text, variables, baseDir, runId }: PlanDraft): Record<string, unknown> {
  const given = Object.entries(variables).filter(([, value]) => value !== "");
  return {
    plan_text: text,
    format: formatOf(text),
    ...(given.length === 0 ? {} : { variables: Object.fromEntries(given) }),
    ...(baseDir.trim() === "" ? {} : { base_dir: baseDir.trim() }),
    ...(runId.trim() === "" ? {} : { run_id: runId.trim() }),
  };
}

/** Checks a draft when somebody stops typing; the answer before stays meanwhile. */
export function usePlanCheck(draft: PlanDraft): { check: PlanCheck | undefined; error: ApiError | undefined } {
  const [answer, setAnswer] = useState<{ check: PlanCheck | undefined; error: ApiError | undefined }>({
    check: undefined,
    error: undefined,
  });
  const body = draft.text.trim() === "" ? null : JSON.stringify(draftBody({ ...draft, runId: "" }));
  useEffect(() => {
    if (body === null) {
      setAnswer({ check: undefined, error: undefined });
      return undefined;
    }
    let isStale = false;
    const ask = async (): Promise<void> => {
      try {
        const check = await send<PlanCheck>("POST", apiPath(["plans", "validate"]), JSON.parse(body));
        if (!isStale) setAnswer({ check, error: undefined });
      } catch (thrown) {
        if (!isStale) setAnswer((before) => ({ ...before, error: asApiError(thrown) }));
      }
    };
    const timer = setTimeout(() => void ask(), TYPING_MS);
    return () => {
      isStale = true;
      clearTimeout(timer);
    };
  }, [body]);
  return answer;
}
