import type { PlanCheck } from "@fanfold/schemas";
import { useEffect, useState } from "react";
import { asApiError, type ApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";

/** What is known of a draft; nothing before the first answer. */
export interface DraftCheck {
  readonly check: PlanCheck | undefined;
  readonly error: ApiError | undefined;
}

/** What is to be checked. */
export interface CheckSubject {
  /** Template it is about; empty for a plan that is written out. */
  readonly of: string;
  /** What the API is asked; null while there is nothing to check. */
  readonly request: Readonly<Record<string, unknown>> | null;
}

interface Answer {
  readonly of: string;
  readonly known: DraftCheck;
}

const TYPING_MS = 350;
const NOTHING: DraftCheck = { check: undefined, error: undefined };

/** Checks a draft when somebody stops typing; the answer before stays meanwhile, unless it is of another template. */
export function usePlanCheck({ of, request }: CheckSubject): DraftCheck {
  const [answer, setAnswer] = useState<Answer>();
  const known = answer?.of === of ? answer.known : NOTHING;
  const isFirst = known === NOTHING;
  const body = request === null ? null : JSON.stringify(request);
  useEffect(() => {
    if (body === null) {
      setAnswer(undefined);
      return undefined;
    }
    let isStale = false;
    const ask = async (): Promise<void> => {
      try {
        const check = await send<PlanCheck>("POST", apiPath(["plans", "validate"]), JSON.parse(body));
        if (!isStale) setAnswer({ of, known: { check, error: undefined } });
      } catch (thrown) {
        const error = asApiError(thrown);
        const keep = (before: Answer | undefined): Answer => {
          return { of, known: { check: before?.of === of ? before.known.check : undefined, error } };
        };
        if (!isStale) setAnswer(keep);
      }
    };
    const timer = setTimeout(() => void ask(), isFirst ? 0 : TYPING_MS);
    return () => {
      isStale = true;
      clearTimeout(timer);
    };
    // the first answer changes `isFirst`: that is no reason to ask again
  }, [body, of]);
  return known;
}
