import { describe, expect, test } from "vitest";
import { foldConcat } from "../../src/merge/fold-concat.ts";
import { foldedText, outputsOf, someOutputsOf } from "./memory-outputs.ts";

describe("foldConcat", () => {
  test("joins the bytes of the shards in shard order", async () => {
    expect(await foldedText(foldConcat(outputsOf("one\n", "", "two", "three\n")))).toBe("one\ntwothree\n");
    expect(await foldedText(foldConcat(outputsOf()))).toBe("");
  });

  test("goes on without the shards that are left out", async () => {
    expect(await foldedText(foldConcat(someOutputsOf("one\n", null, "three\n")))).toBe("one\nthree\n");
  });
});
