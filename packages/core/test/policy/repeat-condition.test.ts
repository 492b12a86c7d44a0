import { describe, expect, test } from "vitest";
import { evaluateRepeat, findRepeatFault } from "../../src/policy/repeat-condition.ts";

describe("the condition of a repetition", () => {
  test.each([
    ["output.n >= 3", '{"n": 3}', "done"],
    ["output.n >= 3", '{"n": 2.5}', "again"],
    ["iteration == 2", "", "done"],
    ["output.size() == 2 && output[1].ok", '{"ok":false}\n{"ok":true}\n', "done"],
    ['output.contains("DONE")', "all DONE\n", "done"],
    ["output.missing", "{}", "failed"],
    ["output", "5", "failed"],
  ])("looks at the output and its number: %s of %j", (expression, output, kind) => {
    expect(evaluateRepeat(expression, output, 2).kind).toBe(kind);
  });

  test("names itself where it cannot be answered", () => {
    expect(evaluateRepeat("output.n > 1", "text", 1)).toMatchObject({
      why: expect.stringMatching(/^repeat_until output\.n > 1 cannot be evaluated: /),
    });
  });

  test.each([
    ["output.n >", /./],
    ["outptu.n > 1", /outptu/],
    ["iteration", /it gives int, not true or false/],
    ["vars.X == output", /vars/],
  ])("is refused when it cannot be right: %s", (expression, why) => {
    expect(findRepeatFault(expression)).toMatch(why);
  });
});
