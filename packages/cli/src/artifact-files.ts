import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { listArtifacts, resolveArtifact } from "@fanfold/engine";
import { type ArtifactType, ArtifactTypeSchema } from "@fanfold/schemas";
import { streamContent } from "@fanfold/store";
import type { ArtifactFlags } from "./commands/artifact-commands.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { phasesNamed } from "./phases-named.ts";
import type { Session } from "./session.ts";
import { print, styleOf } from "./terminal.ts";
import { renderArtifactTable } from "./view/artifact-table.ts";

interface ArtifactName {
  readonly runId: string;
  readonly what: string;
}

/** Prints a page of a run's artifacts; standard error says how to go on. */
export async function printArtifacts(session: Session, runId: string, flags: ArtifactFlags): Promise<void> {
  const page = await listArtifacts(session.engine, runId, {
    phases: flags.phase === undefined ? undefined : await phasesNamed(session, runId, flags.phase),
    shard: flags.shard,
    type: flags.type === undefined ? undefined : readType(flags.type),
    outputsOnly: flags.outputs,
    cursor: flags.cursor,
    limit: flags.limit,
  });
  if (flags.json === true) for (const record of page.artifacts) print(JSON.stringify(record));
  else print(renderArtifactTable(page.artifacts, styleOf(process.stdout)));
  if (page.next_cursor !== null) process.stderr.write(`there are more: --cursor ${page.next_cursor}\n`);
}

function readType(text: string): ArtifactType {
  const type = ArtifactTypeSchema.options.find((known) => known === text);
  if (type !== undefined) return type;
  throw new CliError(EXIT.usage, `--type ${text} is none of ${ArtifactTypeSchema.options.join(", ")}`);
}

/**
 * Writes an artifact to a file, which is there whole or not at all.
 *
 * @param output the file; in the current directory under its name when missing
 * @returns path of the file
 * @throws {EngineError} UNKNOWN_ARTIFACT
 * @throws {StoreError} ARTIFACT_CORRUPT, ARTIFACT_NOT_FOUND
 */
export async function writeArtifact(session: Session, { runId, what }: ArtifactName, output?: string): Promise<string> {
  const { record, content } = await resolveArtifact(session.engine, runId, what);
  const file = resolve(output ?? basename(record.name));
  const temporary = `${file}.${randomUUID()}.part`;
  await mkdir(dirname(file), { recursive: true });
  try {
    await pipeline(streamContent(session.store.artifacts, content), createWriteStream(temporary, { flags: "wx" }));
    await rename(temporary, file);
    return file;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Prints the bytes of an artifact. @throws {EngineError} UNKNOWN_ARTIFACT */
export async function printArtifact(session: Session, { runId, what }: ArtifactName): Promise<void> {
  const { content } = await resolveArtifact(session.engine, runId, what);
  await pipeline(Readable.from(streamContent(session.store.artifacts, content)), process.stdout, { end: false });
}
