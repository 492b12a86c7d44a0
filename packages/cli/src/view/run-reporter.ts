import type { RunView } from "@fanfold/core";
import type { JournalLine } from "@fanfold/schemas";
import { createLogUpdate } from "log-update";
import { progressLine } from "./progress-line.ts";
import { type TreeTerminal, runTree } from "./run-tree.ts";
import { createPalette } from "./text-style.ts";

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** A journal read again from its start would otherwise be a redraw per line. */
const MIN_REDRAW_MS = 50;

/** Shows a run while it goes on. */
export interface RunReporter {
  /** Takes the next journal line, and the view with it. */
  onLine(line: JournalLine, view: RunView): void;
  /** Redraws, so that the clocks go on; call it a few times a second. */
  tick(): void;
  /** Draws the last state and leaves it standing. Nothing may be reported afterwards. */
  end(view: RunView): void;
}

/** Stream that progress goes to; a terminal knows its size. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Where and how a run is shown. */
export interface ReporterOptions {
  readonly stream: ProgressStream;
  /** Whether to redraw in place; otherwise one line per change of state is written. */
  readonly isTty: boolean;
  readonly color: boolean;
  /** Width to use instead of the stream's. */
  readonly columns?: number | undefined;
  /** Current time, Unix ms. */
  readonly nowMs: () => number;
}

/** Makes the reporter that suits the stream. Progress goes to this stream only. */
export function createRunReporter(options: ReporterOptions): RunReporter {
  return options.isTty ? new LiveReporter(options) : new LineReporter(options);
}

/** Writes one line for each change of state that a reader of a log would miss. */
class LineReporter implements RunReporter {
  readonly #options: ReporterOptions;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  onLine(line: JournalLine, view: RunView): void {
    const { stream, color, columns } = this.#options;
    const text = progressLine(line, view, { color, columns });
    if (text !== undefined) stream.write(`${text}\n`);
  }

  tick(): void {}

  end(): void {}
}

/** Redraws the run's tree in place. */
class LiveReporter implements RunReporter {
  readonly #options: ReporterOptions;
  readonly #update: ReturnType<typeof createLogUpdate>;
  #view: RunView | undefined;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #drawnLines = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#update = createLogUpdate(options.stream);
  }

  onLine(_line: JournalLine, view: RunView): void {
    this.#view = view;
    if (Math.abs(this.#options.nowMs() - this.#drawnAtMs) >= MIN_REDRAW_MS) this.#draw(view);
  }

  tick(): void {
    if (this.#view !== undefined) this.#draw(this.#view);
  }

  end(view: RunView): void {
    this.#draw(view);
    this.#update.done();
  }

  #draw(view: RunView): void {
    const lines = runTree(view, this.#terminal());
    // log-update 7 redraws a frame of another height at the wrong place; on an empty screen it cannot.
    if (lines.length !== this.#drawnLines && this.#drawnLines > 0) this.#update.clear();
    this.#update(lines.join("\n"));
    this.#drawnLines = lines.length;
    this.#drawnAtMs = this.#options.nowMs();
  }

  /** One column and one row less than there are: the cursor stands below the tree, and nothing may wrap. */
  #terminal(): TreeTerminal {
    const { stream, columns, color, nowMs } = this.#options;
    return {
      columns: Math.max(1, Math.min(columns ?? Number.POSITIVE_INFINITY, stream.columns ?? DEFAULT_COLUMNS) - 1),
      rows: Math.max(1, (stream.rows ?? DEFAULT_ROWS) - 1),
      nowMs: nowMs(),
      palette: createPalette(color),
    };
  }
}
