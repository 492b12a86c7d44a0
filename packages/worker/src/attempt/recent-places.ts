/** Where a command is run. */
export interface CommandPlace {
  /** Real path of the working directory. */
  readonly cwd: string;
  /** What is started: what the plan says, as far as the worker allows it. */
  readonly program: string;
  /** What the command inherits of the worker's environment. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** How long something that was found is taken for granted, in ms. */
const RECENT_MS = 100;
const KEPT_PLACES = 200;

/**
 * Where the commands of a worker were run a moment ago: attempts that follow each other closely need not look for the
 * same directories and programs again, nor read the whole environment.
 */
export class RecentPlaces {
  readonly #places = new Map<string, { readonly place: CommandPlace; readonly foundAtMs: number }>();

  /** @returns undefined when it was not found lately */
  find(key: string): CommandPlace | undefined {
    const found = this.#places.get(key);
    return found === undefined || performance.now() - found.foundAtMs > RECENT_MS ? undefined : found.place;
  }

  keep(key: string, place: CommandPlace): void {
    if (this.#places.size >= KEPT_PLACES) this.#places.clear();
    this.#places.set(key, { place, foundAtMs: performance.now() });
  }
}
