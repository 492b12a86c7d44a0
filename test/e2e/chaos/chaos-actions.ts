import { setTimeout as sleep } from "node:timers/promises";
import type { CliProcess } from "@fanfold/testkit";
import type { ChaosSite, Service } from "./chaos-site.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What can happen to a deployment. */
export type ActionKind =
  | "kill worker"
  | "kill scheduler"
  | "kill client"
  | "freeze worker"
  | "restart redis"
  | "cut"
  | "power cut";

/** One action of a seed. */
export interface Action {
  readonly kind: ActionKind;
  /** Wait before it, in ms. */
  readonly afterMs: number;
  /** Which service of its kind, counted anew when there are fewer. */
  readonly which: number;
  /** How long a freeze or cut lasts, in ms. */
  readonly lastsMs: number;
}

/** What happened, and to whom. */
export interface Happening {
  readonly kind: ActionKind;
  readonly atMs: number;
  /** Name of the worker that could no longer work; undefined when it concerned every process, or none of them. */
  readonly worker: string | undefined;
  readonly lastsMs: number;
}

/** A freeze must outlast the lock of a job and the search for lost ones, so that its work is taken over. */
const FREEZE_MS = 9_000;
const COMMON: readonly ActionKind[] = [
  "kill worker",
  "kill worker",
  "kill worker",
  "kill scheduler",
  "restart redis",
  "cut",
];

/** One seed in this many cuts the connection for 20 s, another one kills every process and Redis at one moment. */
const RARELY = 12;
const LONG_CUT_MS = 20_000;

/** What a seed does to a deployment, in order: three to seven actions, about half of them kills of workers. */
export function drawActions(seed: number, random: SeededRandom): Action[] {
  const kinds = Array.from({ length: random.between(3, 5) }, () => random.pick(COMMON));
  if (random.unit() < 0.5) kinds.push("kill client");
  if (random.unit() < 0.3) kinds.push("freeze worker");
  if (seed % RARELY === 0) kinds.push("cut");
  if (seed % RARELY === 6) kinds.push("power cut");
  random.shuffle(kinds);
  return kinds.map((kind) => ({
    kind,
    afterMs: random.between(100, 900),
    which: random.between(0, 5),
    lastsMs: lengthOf(kind, seed, random),
  }));
}

function lengthOf(kind: ActionKind, seed: number, random: SeededRandom): number {
  const drawnMs = random.between(300, 2_500);
  if (kind === "freeze worker") return FREEZE_MS;
  return kind === "cut" && seed % RARELY === 0 ? LONG_CUT_MS : drawnMs;
}

/** Carries actions out. What they break is put right in the background; {@link Chaos.over} waits for that. */
export class Chaos {
  readonly happened: Happening[] = [];
  readonly #site: ChaosSite;
  readonly #client: CliProcess;
  readonly #signal: AbortSignal;
  readonly #repairs: Promise<unknown>[] = [];
  readonly #frozen = new Set<Service>();

  constructor(site: ChaosSite, client: CliProcess, signal: AbortSignal) {
    this.#site = site;
    this.#client = client;
    this.#signal = signal;
  }

  /** Carries the actions out one after another, until the run is over. */
  async run(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      await sleep(action.afterMs, undefined, { signal: this.#signal }).catch(() => undefined);
      if (this.#signal.aborted) return;
      await this.#act(action);
    }
  }

  /** Waits until every process is there again and runs. */
  async over(): Promise<void> {
    await Promise.all(this.#repairs);
  }

  async #act(action: Action): Promise<void> {
    switch (action.kind) {
      case "kill worker":
        return this.#kill("worker", action);
      case "kill scheduler":
        return this.#kill("scheduler", action);
      case "kill client":
        this.#note(action, undefined);
        return this.#client.kill("SIGKILL");
      case "freeze worker":
        return this.#freeze(action);
      case "restart redis":
        this.#note(action, undefined);
        return this.#site.redis.restart();
      case "cut":
        return this.#cut(action);
      case "power cut":
        return this.#powerCut(action);
    }
  }

  async #powerCut(action: Action): Promise<void> {
    this.#note(action, undefined);
    const services = this.#site.services.filter((service) => !this.#frozen.has(service));
    await Promise.all([this.#site.redis.restart(), ...services.map((service) => this.#site.kill(service))]);
    this.#repairs.push(...services.map(({ kind, place }) => this.#site.startService(kind, place)));
  }

  async #kill(kind: Service["kind"], action: Action): Promise<void> {
    const service = this.#choose(kind, action.which);
    if (service === undefined) return;
    this.#note(action, kind === "worker" ? service.name : undefined);
    await this.#site.kill(service);
    this.#repairs.push(this.#site.startService(kind, service.place));
  }

  #freeze(action: Action): void {
    const service = this.#choose("worker", action.which);
    if (service === undefined) return;
    this.#note(action, service.name);
    this.#frozen.add(service);
    service.process.kill("SIGSTOP");
    const wake = async (): Promise<void> => {
      await sleep(action.lastsMs);
      service.process.kill("SIGCONT");
      this.#frozen.delete(service);
    };
    this.#repairs.push(wake());
  }

  #cut(action: Action): void {
    this.#note(action, this.#site.services.find(({ kind, place }) => kind === "worker" && place === 2)?.name);
    this.#site.proxy.cut();
    this.#repairs.push(sleep(action.lastsMs).then(() => this.#site.proxy.mend()));
  }

  /** A frozen worker is left to its fate, and the last scheduler is not killed while the others are starting. */
  #choose(kind: Service["kind"], which: number): Service | undefined {
    const services = this.#site.services.filter((service) => service.kind === kind && !this.#frozen.has(service));
    return services.length < 2 ? undefined : services[which % services.length];
  }

  #note({ kind, lastsMs }: Action, worker: string | undefined): void {
    this.happened.push({ kind, atMs: Date.now(), worker, lastsMs });
  }
}
