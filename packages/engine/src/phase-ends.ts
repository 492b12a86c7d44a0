import { completeTogether, type WaitingEnd } from "./complete-phase.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import type { AttemptEnd, AttemptEndReply } from "./attempt-end.ts";
import { artifactsOf } from "./phase-outputs.ts";

/** Most ends that are taken in one step: it must not hold Redis up. */
const MOST_TOGETHER = 64;

/** The ends of attempts in this process that complete phases: all of a run that wait for their turn are taken in one step. */
export class PhaseEnds {
  readonly #workings: EngineWorkings;
  /** Run → ends that somebody is about to take. */
  readonly #waiting = new Map<string, WaitingEnd[]>();

  constructor(workings: EngineWorkings) {
    this.#workings = workings;
  }

  /** Ends the attempt that completes a phase, together with what else waits. */
  async complete(end: AttemptEnd): Promise<AttemptEndReply> {
    const { runId, ref, finish } = end;
    const definition = (await this.#workings.states.plan(runId)).graph.phase(ref.phase);
    if (finish.record.result === undefined) throw new Error(`the attempt that completes ${ref.phase} has no result`);
    const artifacts = artifactsOf(definition, finish.record.result);
    const trigger = { type: "phase_succeeded", ...ref, artifacts, toleratedShards: 0 } as const;
    return new Promise((resolve, reject) => this.#wait(runId, { end, trigger, resolve, reject }));
  }

  #wait(runId: string, end: WaitingEnd): void {
    const waiting = this.#waiting.get(runId);
    if (waiting !== undefined) return void waiting.push(end);
    this.#waiting.set(runId, [end]);
    void completeTogether(this.#workings, runId, () => this.#take(runId));
  }

  #take(runId: string): WaitingEnd[] {
    const waiting = this.#waiting.get(runId) ?? [];
    this.#waiting.delete(runId);
    for (const end of waiting.splice(MOST_TOGETHER)) this.#wait(runId, end);
    return waiting;
  }
}
