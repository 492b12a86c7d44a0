import { describe, expect, test } from "vitest";
import { formatProblem } from "../../src/plan/format-problem.ts";
import { parseVariablesText } from "../../src/plan/parse-variables-text.ts";

function variables(text: string) {
  const result = parseVariablesText({ text, file: "vars.yaml" });
  return result.ok ? result.variables : result.problems.map(formatProblem).join("\n\n");
}

describe("a file of variables", () => {
  test("is a map in YAML or JSON, and everything in it becomes text", () => {
    const yaml = "A: text\nB: 1.10\nC: true\nD: '${X} $$'\nE: ''\nF: |\n  two\n  lines\nG: 12345678901234567890\n";
    expect(variables(yaml)).toEqual({
      A: "text",
      B: "1.10",
      C: "true",
      D: "${X} $$",
      E: "",
      F: "two\nlines\n",
      G: "12345678901234567890",
    });
    expect(variables('{ "A": "x", "B": 2.50, "C": false }')).toEqual({ A: "x", B: "2.50", C: "false" });
  });

  test.each(["", "\n", "# nothing yet\n", "{}"])("may have nothing in it: %j", (text) => {
    expect(variables(text)).toEqual({});
  });

  test("tells all that is wrong in it, each in its place", () => {
    expect(variables("A: [1, 2]\nB:\nmy-name: x\nC: { a: 1 }\nD: fine\n")).toMatchInlineSnapshot(`
      "vars.yaml:1:4: error WRONG_TYPE: variable A must be a string, a number or true or false, not a list
      > 1 | A: [1, 2]
          |    ^
        2 | B:

      vars.yaml:2:1: error WRONG_TYPE: variable B must be a string, a number or true or false, not an empty value
        1 | A: [1, 2]
      > 2 | B:
          | ^
        3 | my-name: x
        hint: write "" for an empty text

      vars.yaml:3:1: error INVALID_VALUE: "my-name" is not a name of a variable
        2 | B:
      > 3 | my-name: x
          | ^
        4 | C: { a: 1 }

      vars.yaml:4:4: error WRONG_TYPE: variable C must be a string, a number or true or false, not a map
        3 | my-name: x
      > 4 | C: { a: 1 }
          |    ^
        5 | D: fine"
    `);
  });

  test.each([
    ["- A\n- B\n", /vars.yaml:1:1: error NOT_A_MAP: variables must be a map of names to values, not a list/],
    ["A: 1\nA: 2\n", /vars.yaml:2:1: error DUPLICATE_KEY: the key A is given twice/],
    ["A: 'x\n", /vars.yaml:2:1: error YAML_SYNTAX: /],
  ])("is refused: %j", (text, message) => {
    expect(variables(text)).toMatch(message);
  });
});
