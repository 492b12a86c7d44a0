import type { Effect } from "@fanfold/schemas";
import { awaitsApproval } from "../../src/run/approval.ts";
import type { RunState, Trigger } from "../../src/run/run-state.ts";
import { artifactNamed } from "./run-fixture.ts";
import { contentOf } from "./simulated-facts.ts";

/** Something that may happen to a phase that asks a person. */
interface Answer {
  readonly name: string;
  readonly trigger: Trigger;
}

/** The people that phases ask, and the ends of the waits for them. */
export class SimulatedApprovals {
  readonly #waits: (Trigger & { type: "approval_timeout" })[] = [];

  /** What the people who are asked say. */
  answers({ phases }: RunState, isGood: (phase: string) => boolean): Answer[] {
    return [...phases].flatMap(([phase, record]) => {
      if (!awaitsApproval(record)) return [];
      const [approved, revision] = [isGood(phase), record.revision + 1];
      const answer = { approved, comment: "", actor: "person" };
      const artifact = artifactNamed(phase, contentOf(revision));
      const trigger: Trigger = { type: "approve", phase, revision, answer, artifact };
      return [{ name: `${approved ? "approve" : "reject"} ${phase}`, trigger }];
    });
  }

  /** What was set stays, also when the question was answered: then it must have no effect. */
  timeouts(): Answer[] {
    return this.#waits.map((trigger) => ({ name: `nobody has answered ${trigger.phase}`, trigger }));
  }

  wait({ phase, revision, at_ms: atMs }: Effect & { kind: "schedule_approval_timeout" }): void {
    this.#waits.push({ type: "approval_timeout", phase, revision, atMs });
  }
}
