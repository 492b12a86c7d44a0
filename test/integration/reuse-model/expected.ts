import { createHash } from "node:crypto";
import { chunkSizeOf, type Draft, itemsOf } from "./sequence.ts";

type Rec = Readonly<Record<string, string>>;

/** A shard as it has to be. */
interface ExpectedShard {
  /** `<phase>[<index>]` */
  readonly place: string;
  /** What its output depends on. */
  readonly inputs: string;
}

/** What a run of a draft has to come to. */
export interface Expected {
  readonly shards: readonly ExpectedShard[];
  /** Phase → the bytes of its output. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** Works out a draft without Fanfold. */
export function expectedOf(name: string, draft: Draft): Expected {
  const { word, env, declares, key, others, languages } = draft.settings;
  const shards: ExpectedShard[] = [];
  const outputs = new Map<string, string>();
  const run = (id: string, groups: readonly (readonly Rec[])[], consumed: string | null): Rec[] => {
    for (const [i, records] of groups.entries()) {
      const inputs = JSON.stringify([id, records, word, declares, env, key, consumed]);
      shards.push({ place: `${id}[${i}]`, inputs });
    }
    const seen = createHash("sha256")
      .update(consumed ?? "")
      .digest("hex");
    const done = groups.flat().map((one) => ({ ...one, text: `${word}-${env}-${one["text"]}`, seen }));
    outputs.set(id, done.map((one) => `${JSON.stringify(one)}\n`).join(""));
    return done;
  };
  for (const language of languages ?? [undefined]) {
    const at = language === undefined ? "" : `[language=${language}]`;
    const first = run(`${name}-first${at}`, byScene(itemsOf(draft).map((one) => ({ ...one }))), null);
    const records = others?.map((text) => ({ text })) ?? first;
    const consumed = others === null ? null : (outputs.get(`${name}-first${at}`) ?? "");
    run(`${name}-second${at}`, inChunks(records, chunkSizeOf(draft)), consumed);
  }
  return { shards, outputs };
}

function byScene(records: readonly Rec[]): Rec[][] {
  const groups: Rec[][] = [];
  for (const [i, one] of records.entries()) {
    if (i > 0 && records[i - 1]?.["scene_id"] === one["scene_id"]) groups.at(-1)?.push(one);
    else groups.push([one]);
  }
  return groups;
}

function inChunks(records: readonly Rec[], size: number): Rec[][] {
  return Array.from({ length: Math.ceil(records.length / size) }, (_, i) => records.slice(i * size, (i + 1) * size));
}
