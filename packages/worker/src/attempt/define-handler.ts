/** One record of a JSONL artifact. */
export type HandlerRecord = Record<string, unknown>;

/** Which attempt a handler works for. */
export interface HandlerRun {
  readonly run_id: string;
  readonly phase: string;
  readonly revision: number;
  /** Counted from 0. */
  readonly shard_index: number;
  readonly shard_count: number;
  /** Counted from 1. */
  readonly attempt: number;
}

/** The artifacts a phase consumes. Every method throws when there is no artifact of that name. */
export interface HandlerArtifacts {
  /** File the artifact is in; read only. */
  path(name: string): string;
  text(name: string): Promise<string>;
  json(name: string): Promise<unknown>;
  /** Records of a JSONL artifact. */
  records(name: string): Promise<HandlerRecord[]>;
}

/** A phase to spawn; see "Loops" in the README. */
export interface HandlerSpawn {
  /** Id of a phase that is `spawnable`. */
  readonly phase: string;
  /** Tells the children of one attempt apart, and names them afterwards. */
  readonly key: string;
  readonly regression_context?:
    | {
        readonly reason?: string | undefined;
        readonly requested_by?: string | undefined;
        readonly output?: unknown;
      }
    | undefined;
  readonly prompt?: string | undefined;
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

/** What earlier attempts of the shard spawned: all of it has succeeded. */
export interface HandlerSpawned {
  /** How many attempts of the shard have spawned; 0 at first. */
  readonly round: number;
  readonly keys: readonly string[];
  /** Artifacts of the child with that key, the latest one. @throws when there is none */
  artifacts(key: string): HandlerArtifacts;
}

/** Why a phase was spawned: what its spawner said. */
export interface HandlerOrder extends Omit<HandlerSpawn, "phase"> {
  /** 1 for the child of a phase of the plan. */
  readonly depth: number;
  readonly spawner: {
    readonly phase: string;
    readonly revision: number;
    readonly shard: number;
    readonly attempt: number;
  };
}

/** Lines for the log of the attempt: texts as they are, errors by their message, other values as JSON. */
export interface HandlerLog {
  info(message: unknown): void;
  warn(message: unknown): void;
  error(message: unknown): void;
}

/** How far a handler is; `total` is left out while it is not known. */
export interface HandlerProgress {
  readonly completed: number;
  readonly total?: number;
  readonly metric_key?: string;
  readonly unit?: string;
  readonly message?: string;
}

/** What a handler may say of an artifact. */
export interface HandlerArtifactMeta {
  readonly type?: "file" | "model_output" | "error_context" | "test_results" | "report" | "log" | "custom";
  readonly format?: string;
  readonly media_type?: string;
  /** At most 4,096 characters of JSON. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What a handler gets. */
export interface HandlerContext<Item = HandlerRecord> {
  /** Records of the shard, in order; empty when the phase is not sharded. */
  readonly items: readonly Item[];
  /** The one item of the shard, where its phase has `for_each`; undefined otherwise. */
  readonly item: Item | undefined;
  /** What the work is told to do; after a failure with what came of the attempt before. Undefined without a prompt. */
  readonly prompt: string | undefined;
  /** The prompt of the phase, the same in each attempt. */
  readonly original_prompt: string | undefined;
  /** Which time the phase runs, counted from 1, where it has `repeat_until`; undefined otherwise. */
  readonly iteration: number | undefined;
  /** Text of the output of the iteration before; undefined in the first one. */
  readonly previous: string | undefined;
  /** Files of the shard outputs in shard order, for the handler of a merge; empty otherwise. */
  readonly outputs: readonly string[];
  /** The shard outputs themselves, as texts in shard order, for the handler of a merge: no file is made for them. */
  readOutputs(): AsyncIterable<string>;
  readonly artifacts: HandlerArtifacts;
  /** Aborted when the attempt is cancelled or has timed out; a handler should end soon after. */
  readonly signal: AbortSignal;
  /** `env` of the plan and the phase, with their secrets; a handler shares its process, so it is not in `process.env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly run: HandlerRun;
  readonly log: HandlerLog;
  progress(progress: HandlerProgress): void;
  /** Reports used resources, such as `{ tokens: 120 }`; reports add up. */
  usage(usage: Readonly<Record<string, number | string>>): void;
  /** Hands over a named artifact of the phase: the path of a file, or its bytes. */
  artifact(name: string, content: string | Uint8Array, meta?: HandlerArtifactMeta): Promise<void>;
  /**
   * Has a phase run before this shard goes on: once the handler has returned the shard waits for it, and is then tried
   * again. What the handler returns now is not the output. Throws when the phase cannot be spawned.
   */
  spawn(request: HandlerSpawn): void;
  readonly spawned: HandlerSpawned;
  /** Why this phase was spawned; null for a phase of the plan. */
  readonly order: HandlerOrder | null;
}

/**
 * Work of a shard. What it returns is the output: text and bytes as they are, records as JSONL (an array or any
 * iterable, also an async one, which is stored as it comes), other values as JSON.
 */
export type Handler<Item = HandlerRecord> = (ctx: HandlerContext<Item>) => unknown;

/** Gives a handler its types: `export default defineHandler(async (ctx) => output)`. Returns it as it is. */
export function defineHandler<Item = HandlerRecord>(handler: Handler<Item>): Handler<Item> {
  return handler;
}
