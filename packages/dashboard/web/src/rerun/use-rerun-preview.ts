import type { RerunResult } from "@fanfold/schemas";
import { useEffect, useState } from "react";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { apiPath, send } from "../api/client.ts";
import { type RerunDraft, rerunBody } from "./rerun-order.ts";

/** Time without another change after which a draft is previewed, in ms. */
const CALM_MS = 200;

/** What a rerun would do; nothing while that is not known of the draft as it is now. */
export interface RerunPreview {
  readonly preview: RerunResult | undefined;
  readonly error: ApiError | undefined;
}

const UNKNOWN: RerunPreview = { preview: undefined, error: undefined };

/** Asks what a rerun would run, again whenever the draft changes. */
export function useRerunPreview(draft: RerunDraft): RerunPreview {
  const [answer, setAnswer] = useState<RerunPreview & { readonly of: string }>({ ...UNKNOWN, of: "" });
  const wanted = JSON.stringify(rerunBody(draft, true));
  useEffect(() => {
    let isDropped = false;
    const ask = async (): Promise<void> => {
      try {
        const body: unknown = JSON.parse(wanted);
        const preview = await send<RerunResult>("POST", apiPath(["runs", draft.runId, "rerun"]), body);
        if (!isDropped) setAnswer({ preview, error: undefined, of: wanted });
      } catch (thrown) {
        if (!isDropped) setAnswer({ preview: undefined, error: asApiError(thrown), of: wanted });
      }
    };
    const timer = setTimeout(() => void ask(), CALM_MS);
    return () => {
      isDropped = true;
      clearTimeout(timer);
    };
  }, [wanted, draft.runId]);
  return answer.of === wanted ? answer : UNKNOWN;
}
