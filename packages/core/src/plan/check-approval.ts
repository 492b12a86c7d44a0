import { type Phase, PhaseSchema } from "@fanfold/schemas";
import type { DeclaredPhase } from "./declared-phase.ts";

/** Something wrong with a phase that waits for a person, and the field it is in. */
export interface ApprovalFault {
  readonly code: "CONFLICTING_WORK" | "MISPLACED_FIELD" | "INVALID_VALUE";
  readonly field: string;
  readonly message: string;
}

/** Fields that mean something where nothing is executed. */
const TAKEN: ReadonlySet<string> = new Set<keyof Phase>([
  "id",
  "name",
  "description",
  "approval",
  "depends_on",
  "enabled",
  "condition",
  "matrix",
  "timeout_sec",
  "on_failure",
  "critical",
  "consumes",
  "provides",
  "tags",
  "ui_hints",
]);

const PHASE_FIELDS: ReadonlySet<string> = new Set(Object.keys(PhaseSchema.shape));
const OTHER_WORK: ReadonlySet<string> = new Set(["command", "handler"]);

/** What does not go with `approval`: other work, and fields that say how work is executed. */
export function* findApprovalFaults({ keys: { written, meant }, provides }: DeclaredPhase): Generator<ApprovalFault> {
  if (!written.has("approval")) return;
  for (const field of written) {
    // a key that is unknown, or misspelt, is told of elsewhere
    if (TAKEN.has(field) || !PHASE_FIELDS.has(field) || !meant.has(field)) continue;
    if (OTHER_WORK.has(field)) {
      const message = `a phase has either ${field === "command" ? "a command" : "a handler"} or an approval, not both`;
      yield { code: "CONFLICTING_WORK", field, message };
    } else {
      const message = `${field} says how work is executed; an approval executes nothing`;
      yield { code: "MISPLACED_FIELD", field, message };
    }
  }
  if (provides.names.length > 1) {
    const message = "an approval provides one artifact, which is the answer";
    yield { code: "INVALID_VALUE", field: "provides", message };
  }
}
