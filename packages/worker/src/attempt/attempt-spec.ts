import type { ArtifactMeta, CompiledPhase, CompiledPlan, Failure, SpawnRequest } from "@fanfold/schemas";
import type { SecretSource } from "../secrets.ts";
import type { CommandPlace } from "./command-place.ts";
import type { Handler } from "./define-handler.ts";
import type { ReportedEvent } from "./reported-event.ts";
import type { WorkerRules } from "./worker-rules.ts";

/** Output of an attempt: in a file of its scratch directory, or in memory. */
export type AttemptOutput = { readonly file: string } | { readonly bytes: Uint8Array };

/** Item that a shard is for. */
export interface AttemptItem {
  /** As `{{item}}` puts it in. */
  readonly text: string;
  /** Counted from 0. */
  readonly index: number;
}

/** What the work is told to do. */
export interface AttemptPrompt {
  /** The prompt of the phase, the same in each attempt. */
  readonly original: string;
  /** The original one; after a failure it may go on with what came of the attempt before. */
  readonly text: string;
}

/** Which time a phase runs that runs several times. */
export interface AttemptIteration {
  /** Counted from 1. */
  readonly number: number;
  /** Output of the iteration before; null in the first one. */
  readonly previousFile: string | null;
}

/** A child that an attempt asks for, and the phase it is to be a copy of. */
export interface AskedChild {
  readonly request: SpawnRequest;
  readonly copyOf: CompiledPhase;
}

/** What a phase that was spawned is told: `FANFOLD_SPAWN`. */
export interface SpawnOrder extends Pick<SpawnRequest, "key" | "regression_context" | "prompt" | "variables"> {
  readonly depth: number;
  readonly spawner: {
    readonly phase: string;
    readonly revision: number;
    readonly shard: number;
    readonly attempt: number;
  };
}

/** Outputs of the shards, for a merge. */
export interface MergeOutputs {
  /** Files of the outputs in shard order; they are there once somebody has asked. */
  paths(): readonly string[];
  /** File that lists them; it is there with them. */
  readonly list: string;
  /** The outputs in shard order, as texts. */
  texts(): AsyncIterable<string>;
}

/** What an attempt may spawn, and what was spawned before it. */
export interface AttemptSpawn {
  readonly plan: CompiledPlan;
  /** Children that earlier attempts of the shard spawned. */
  readonly earlier: number;
  /** How many attempts of the shard have spawned. */
  readonly round: number;
  /** Directory with one directory for each key, with one file for each artifact; null before the first children. */
  readonly childrenDir: string | null;
  /** Why this phase was spawned, and the file that says so; null when it is one of the plan. */
  readonly order: { readonly value: SpawnOrder; readonly file: string } | null;
}

/** Everything one attempt of one shard needs to know. Directories may be relative to the worker's own. */
export interface AttemptSpec {
  readonly runId: string;
  readonly phase: CompiledPhase;
  readonly revision: number;
  readonly shardIndex: number;
  readonly shardCount: number;
  /** Counted from 1. */
  readonly attempt: number;
  /** `globals.env` of the plan; the phase's own `env` wins over it. */
  readonly planEnv: Readonly<Record<string, string>>;
  /** The directory no working directory and no handler may leave. */
  readonly workspaceDir: string;
  /** Directory of the plan's file, relative to `workspaceDir`. */
  readonly baseDir: string;
  /** Directory of this attempt alone. It is made when something has to be written; the caller removes it. */
  readonly scratchDir: string;
  /** JSONL records of the shard; null when the phase is not sharded, or they are in `inputText`. */
  readonly inputFile: string | null;
  /** JSONL records of the shard, for a handler: no file is written that nobody reads. */
  readonly inputText?: string;
  /** Handlers that were loaded for attempts of the same block, by their paths. */
  readonly handlers?: Map<string, Promise<Handler<unknown>>>;
  /** Where commands of the same block were run, by what it depends on. */
  readonly places?: Map<string, CommandPlace>;
  /** The one item of the shard, where its phase runs for each item of an artifact. */
  readonly item?: AttemptItem;
  /** Where its phase has a prompt. */
  readonly prompt?: AttemptPrompt;
  /** Where its phase runs until a condition is true. */
  readonly iteration?: AttemptIteration;
  /** Outputs of the shards, when the attempt is a merge. */
  readonly shardOutputs?: MergeOutputs;
  /** Directory with one file for each consumed artifact, named after it. */
  readonly artifactsDir: string;
  /** Absent in a merge: it cannot spawn, and nothing is spawned for it. */
  readonly spawn?: AttemptSpawn;
  /** Wait between SIGTERM and SIGKILL, in ms. */
  readonly killGraceMs: number;
  /** Longest time of the attempt, in ms. */
  readonly timeoutMs: number;
  /** What the worker allows; everything when absent. */
  readonly rules?: WorkerRules;
  /** Where the secrets come from that the phase names; the worker's own when absent. */
  readonly secrets?: SecretSource;
  /** Rejects an output its phase's merge could not fold, with the message to show. */
  readonly checkOutput?: (output: AttemptOutput) => Promise<void>;
}

/** A named extra output, still in the file the attempt left it in. */
export interface AttemptArtifact {
  readonly name: string;
  readonly file: string;
  readonly meta?: ArtifactMeta;
}

/** How an attempt ended. By then none of its processes is left. */
export type AttemptOutcome = AttemptEnding & {
  readonly durationMs: number;
  /** Stdout and stderr as they came, and remarks; absent when there was nothing. */
  readonly log?: AttemptOutput;
};

type AttemptEnding =
  | {
      readonly status: "succeeded";
      readonly output: AttemptOutput;
      /** What the attempt said of its output. */
      readonly outputMeta?: ArtifactMeta;
      readonly artifacts: readonly AttemptArtifact[];
      /** What `collect` of the phase found, by path or name. */
      readonly collected: readonly AttemptArtifact[];
    }
  /** It ended well, and is to run again once these have: what it made is not its output. */
  | { readonly status: "spawned"; readonly asked: readonly AskedChild[] }
  | { readonly status: "failed" | "timed_out" | "cancelled"; readonly failure: Failure };

/** Which stream a piece of live output belongs to. */
export type OutputStream = "stdout" | "stderr";

/**
 * What the caller hears while an attempt runs. Hooks are called in order and must not throw, nor change the bytes;
 * they are not called any more once the attempt has ended. Whatever they get is masked.
 */
export interface AttemptHooks {
  /** Called right before the work begins; what aborts the attempt's signal here keeps it from beginning. */
  onBegin?(): void;
  onOutput?(chunk: Uint8Array, stream: OutputStream): void;
  onEvent?(event: ReportedEvent): void;
  /** Called when it is known that no process of a command is left, not even one that left its process group. */
  onClear?(): void;
}
