import type { DiffScope } from "@fanfold/engine";
import { CliError, EXIT } from "./exit-codes.ts";

/**
 * What to compare, as it was typed: nothing, a phase, a revision such as `translate@r1`, or two of them.
 *
 * @throws {CliError} when the two are of different phases
 */
export function parseRevisions([revision, other]: readonly string[]): DiffScope {
  if (revision === undefined) return {};
  const first = parseRevision(revision);
  if (other === undefined) return { phase: first.phase, from: first.revision };
  const second = parseRevision(other);
  if (second.phase !== first.phase) {
    throw new CliError(EXIT.usage, `${revision} and ${other} are revisions of different phases`);
  }
  return { phase: first.phase, from: first.revision ?? "latest", to: second.revision };
}

function parseRevision(text: string): { phase: string; revision: number | undefined } {
  const [, phase = text, number] = /^(.+)@r?(\d+)$/.exec(text) ?? [];
  return { phase, revision: number === undefined ? undefined : Number(number) };
}
