import type { PlanCheck } from "@fanfold/schemas";
import { useEffect, useState } from "react";
import { asApiError, type ApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";
import { draftBody, isEmptyDraft, type RunDraft } from "./run-draft.ts";

/** What is known of a draft; nothing before the first answer. */
export interface DraftCheck {
  readonly check: PlanCheck | undefined;
  readonly error: ApiError | undefined;
}

interface Answer {
  /** Template it is about; empty for a plan that is written out. */
  readonly of: string;
  readonly known: DraftCheck;
}

const TYPING_MS = 350;
const NOTHING: DraftCheck = { check: undefined, error: undefined };

/** Checks a draft when somebody stops typing; the answer before stays meanwhile, unless it is of another template. */
export function usePlanCheck(draft: RunDraft): DraftCheck {
  const [answer, setAnswer] = useState<Answer>();
  const of = draft.template ?? "";
  const known = answer?.of === of ? answer.known : NOTHING;
  const isFirst = known === NOTHING;
  const body = isEmptyDraft(draft) ? null : JSON.stringify(draftBody({ ...draft, runId: "" }));
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
