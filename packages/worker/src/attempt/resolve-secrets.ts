import { replaceItem } from "@fanfold/core";
import type { Work } from "@fanfold/schemas";
import { WorkerSecrets } from "../secrets.ts";
import type { AttemptSpec } from "./attempt-spec.ts";

const REFERENCE_START = `\${secret:`;
const REFERENCE = /\$\{secret:([^{}]*)\}/g;

const NO_SECRETS: ReadonlyMap<string, string> = new Map();

/** Work of an attempt, ready to run: it may hold values of secrets and must not be stored or shown unmasked. */
export interface ResolvedWork {
  readonly work: Work;
  /** `env` of the plan and the phase. */
  readonly env: Readonly<Record<string, string>>;
  /** Values by the names of the secrets in them. */
  readonly secrets: ReadonlyMap<string, string>;
}

/**
 * Puts the secrets a plan names, and the item of the shard, into the command, its arguments and the environment, in one
 * pass: a value is never looked at again.
 *
 * @throws {AttemptError} when a secret cannot be had
 */
export async function resolveSecrets(spec: AttemptSpec): Promise<ResolvedWork> {
  const { work } = spec.phase;
  const env = { ...spec.planEnv, ...spec.phase.env };
  const names = new Set([...textsOf(work), ...Object.values(env)].flatMap(secretNames));
  if (names.size === 0 && spec.item === undefined) return { work, env, secrets: NO_SECRETS };
  const source = spec.secrets ?? new WorkerSecrets(process.env);
  const secrets = new Map<string, string>();
  for (const name of names) secrets.set(name, await source.resolveSecret(name));
  const put = (text: string): string => putValues(text, secrets, spec.item);
  const entries = Object.entries(env).map(([name, value]) => [name, put(value)] as const);
  return { work: putInto(work, put), env: Object.fromEntries(entries), secrets };
}

function putValues(text: string, secrets: ReadonlyMap<string, string>, item: AttemptSpec["item"]): string {
  const pieces = text.split(REFERENCE);
  // every second piece is the name of a secret; what is between them is the plan's own text
  return pieces
    .map((piece, at) =>
      at % 2 === 1 ? (secrets.get(piece) ?? "") : item === undefined ? piece : replaceItem(piece, item),
    )
    .join("");
}

function textsOf(work: Work): string[] {
  return work.kind === "command" ? [work.command, ...work.args] : [];
}

function putInto(work: Work, put: (text: string) => string): Work {
  return work.kind === "command" ? { ...work, command: put(work.command), args: work.args.map(put) } : work;
}

function secretNames(text: string): string[] {
  if (!text.includes(REFERENCE_START)) return [];
  return Array.from(text.matchAll(REFERENCE), ([, name = ""]) => name);
}
