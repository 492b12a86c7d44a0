import { expect, test } from "vitest";
import { gatherChunks } from "../src/gather-chunks.ts";

async function gathered(sizes: readonly number[]): Promise<{ sizes: number[]; text: string }> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const [i, size] of sizes.entries()) yield Buffer.alloc(size, String(i % 10));
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of gatherChunks(source())) chunks.push(chunk);
  return { sizes: chunks.map(({ byteLength }) => byteLength), text: Buffer.concat(chunks).toString() };
}

test("many small chunks become few", async () => {
  const small = Array.from({ length: 20_000 }, () => 7);
  const { sizes, text } = await gathered(small);
  expect(sizes).toEqual([65_541, 65_541, 8_918]);
  expect(text).toBe(small.map((size, i) => String(i % 10).repeat(size)).join(""));
});

test.each<[string, number[], number[]]>([
  ["large ones stay as they are", [70_000, 70_000], [70_000, 70_000]],
  ["what comes before a large one goes with it", [5, 70_000, 5], [70_005, 5]],
  ["nothing gives nothing", [], []],
  ["empty ones are left out", [0, 0], []],
])("%s", async (_what, given, taken) => {
  expect((await gathered(given)).sizes).toEqual(taken);
});
