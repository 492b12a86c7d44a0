import { expect, test } from "vitest";
import { withOutputs } from "../src/fold-by-work.ts";

test("hands up to 1,000 output files to a merge command as arguments", () => {
  const paths = Array.from({ length: 1_001 }, (_, shard) => `/outputs/${shard}`);
  expect(withOutputs(["-x"], [])).toEqual(["-x"]);
  expect(withOutputs(["-x"], paths.slice(1))).toEqual(["-x", ...paths.slice(1)]);
  expect(withOutputs(["-x"], paths)).toEqual(["-x"]);
});
