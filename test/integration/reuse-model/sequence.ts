import type { PlanInput } from "@fanfold/schemas";
import * as fc from "fast-check";

type PhaseInput = Extract<PlanInput, { phases: unknown }>["phases"][number];

/** A record of the first phase. Nothing in it depends on its place. */
export interface Item {
  readonly id: string;
  readonly scene_id: string;
  readonly text: string;
}

/** What a little plan of two phases says, apart from the records of `first`. */
export interface Settings {
  /** Records of `second`; null: it is cut from what `first` made. */
  readonly others: readonly string[] | null;
  /** What is written in the file of its handler. */
  readonly word: string;
  readonly env: string;
  /** Whether the version of the handler is declared, instead of its content being looked at. */
  readonly declares: boolean;
  readonly key: string;
  readonly chunkSize: number;
  readonly languages: readonly string[] | null;
}

/** A plan as it stands after some edits: `first`, cut by scene, and `second`, which reads what it made. */
export interface Draft {
  /** Records of `first`: one list for each sequence of edits that is played in this plan. */
  readonly lists: readonly (readonly Item[])[];
  readonly settings: Settings;
}

/** A change of one list of records between two runs. */
export type ListEdit = (items: readonly Item[]) => readonly Item[];

const words = fc.constantFrom("red", "green", "blue", "grey");
const scenes = fc.constantFrom("s1", "s2", "s3");
const item = fc.record({ id: fc.constantFrom("a", "b", "c", "d", "e", "f"), scene_id: scenes, text: words });
const place = fc.nat(9);

/** A place in a list that may be shorter. */
function at(list: readonly unknown[], where: number): number {
  return list.length === 0 ? 0 : where % list.length;
}

function inserted(one: Item, where: number): ListEdit {
  return (items) => items.toSpliced(at(items, where), 0, one);
}

function changed(where: number, change: Partial<Item>): ListEdit {
  return (items) => items.map((one, i) => (i === at(items, where) ? { ...one, ...change } : one));
}

function moved(from: number, to: number): ListEdit {
  return (items) => {
    const taken = items.slice(at(items, from), at(items, from) + 1);
    return items.toSpliced(at(items, from), 1).toSpliced(at(items, to), 0, ...taken);
  };
}

/** Any edit of a list: insert, delete, change, reorder, or nothing. */
export const listEdits: fc.Arbitrary<ListEdit> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(item, place).map(([one, where]) => inserted(one, where)) },
  {
    weight: 3,
    arbitrary: place.map(
      (where): ListEdit =>
        (items) =>
          items.toSpliced(at(items, where), 1),
    ),
  },
  { weight: 3, arbitrary: fc.tuple(place, words).map(([where, text]) => changed(where, { text })) },
  { weight: 2, arbitrary: fc.tuple(place, scenes).map(([where, scene_id]) => changed(where, { scene_id })) },
  { weight: 2, arbitrary: fc.tuple(place, place).map(([from, to]) => moved(from, to)) },
  { weight: 3, arbitrary: fc.constant<ListEdit>((items) => items) },
);

const others = fc.option(fc.array(words, { maxLength: 4 }));
const chunkSize = fc.integer({ min: 1, max: 3 });
const languages = fc.constantFrom(null, ["x"], ["x", "y"]);

/** Any edit of the rest of a plan: environment, handler, version, key, cut, matrix, edges, or nothing. */
export const settingEdits: fc.Arbitrary<Partial<Settings>> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  words.map((word) => ({ word })),
  words.map((env) => ({ env })),
  fc.boolean().map((declares) => ({ declares })),
  fc.constantFrom("", "k").map((key) => ({ key })),
  chunkSize.map((size) => ({ chunkSize: size })),
  languages.map((list) => ({ languages: list })),
  others.map((list) => ({ others: list })),
);

/** Records to begin with. */
export const lists: fc.Arbitrary<readonly Item[]> = fc.array(item, { maxLength: 3 });

/** The rest of a plan to begin with. */
export const settings: fc.Arbitrary<Settings> = fc.record({
  others,
  word: words,
  env: words,
  declares: fc.boolean(),
  key: fc.constant(""),
  chunkSize,
  languages: fc.constantFrom(null, null, null, ["x"]),
});

/** All records of a draft; the scenes of each list are its own. */
export function itemsOf({ lists: all }: Draft): Item[] {
  return all.flatMap((items, i) => items.map((one) => ({ ...one, scene_id: `${i}.${one.scene_id}` })));
}

/** Records of a shard of `second`: more where there are many lists. */
export function chunkSizeOf({ lists: all, settings: { chunkSize: size } }: Draft): number {
  return size * Math.max(1, Math.floor(all.length / 2));
}

/** File of a plan's handler. */
export function handlerFile(name: string): string {
  return `${name}.mjs`;
}

/** Its content: the output shows all it depends on, and each execution is put down. */
export function handlerText({ settings: { word } }: Draft): string {
  return `import { createHash } from "node:crypto";
export default async ({ items, env, run, artifacts }) => {
  globalThis.fanfoldExecuted.push(run.run_id + " " + run.phase + "[" + run.shard_index + "]");
  const text = env.CONSUMES === undefined ? "" : await artifacts.text(env.CONSUMES);
  const seen = createHash("sha256").update(text).digest("hex");
  return items.map((item) => ({ ...item, text: "${word}-" + env.WORD + "-" + item.text, seen }));
};
`;
}

/** The phases of a draft; their ids begin with its name. */
export function phasesOf(name: string, draft: Draft): PhaseInput[] {
  const { word, env, declares, key, ...rest } = draft.settings;
  const cache = { ...(declares ? { version: word } : {}), ...(key === "" ? {} : { key }) };
  const common = {
    handler: handlerFile(name),
    cache: Object.keys(cache).length === 0 ? true : cache,
    ...(rest.languages === null ? {} : { matrix: { language: [...rest.languages] } }),
  };
  const first: PhaseInput = {
    ...common,
    id: `${name}-first`,
    env: { WORD: env },
    shard: { strategy: "scene", over: itemsOf(draft).map((one) => ({ ...one })) },
  };
  const records = rest.others?.map((text) => ({ text })) ?? first.id;
  const second: PhaseInput = {
    ...common,
    id: `${name}-second`,
    env: { WORD: env, ...(rest.others === null ? {} : { CONSUMES: first.id }) },
    depends_on: [first.id],
    shard: { strategy: "chunk", over: records, chunk_size: chunkSizeOf(draft) },
    consumes: [first.id],
  };
  return [first, second];
}
