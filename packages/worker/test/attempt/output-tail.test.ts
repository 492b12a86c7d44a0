import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_TAIL_BYTES, OutputTail } from "../../src/attempt/output-tail.ts";

function tailOf(...chunks: (string | Uint8Array)[]): string[] {
  const tail = new OutputTail();
  for (const chunk of chunks) tail.add(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return tail.lines();
}

test("keeps the last twenty lines that are not blank", () => {
  const text = Array.from({ length: 30 }, (_, i) => `line ${i}\n\n`).join("");
  expect(tailOf(text)).toEqual(Array.from({ length: 20 }, (_, i) => `line ${i + 10}`));
});

test("leaves out the start of a cut line, unless it is all there is", () => {
  expect(tailOf(`${"x".repeat(MAX_TAIL_BYTES)}\nlast\n`)).toEqual(["last"]);
  expect(tailOf("y".repeat(3 * MAX_TAIL_BYTES))).toEqual(["y".repeat(MAX_TAIL_BYTES)]);
});

test("shows no terminal control sequences and no half characters", () => {
  expect(tailOf("\u001B[31mred\u001B[0m\rdone\r\n")).toEqual(["red", "done"]);
  expect(tailOf("é".repeat(MAX_TAIL_BYTES / 2), "a")[0]).toMatch(/^é+a$/);
});

test("does not depend on how the stream is cut into pieces", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 }), (chunks) => {
      expect(tailOf(...chunks)).toEqual(tailOf(Buffer.concat(chunks)));
    }),
    { numRuns: 50 },
  );
});
