import { describe, expect, test } from "vitest";
import { compilePlanText } from "../../src/plan/compile-plan.ts";
import { compileYaml, planOf, summaryOf } from "./plan-samples.ts";

function summary(text: string): string[] {
  return summaryOf(compilePlanText({ text, file: "plan.yaml" }));
}

describe("a text without a plan", () => {
  test.each([
    ["empty", ""],
    ["only a comment", "# later\n"],
    ["only a document start", "---\n"],
  ])("is called empty: %s", (_title, text) => {
    expect(summary(text)).toEqual([
      "EMPTY_PLAN 1:1 the plan is empty (a plan has at least plan_id, version and phases)",
    ]);
  });

  test.each([
    ["- a\n", "a list"],
    ["hello\n", '"hello"'],
    ["null\n", "an empty value"],
  ])("names what it is instead: %j", (text, found) => {
    expect(summary(text)).toEqual([
      `NOT_A_MAP 1:1 a plan must be a map of keys such as plan_id and phases, not ${found}`,
    ]);
  });
});

describe("errors of syntax", () => {
  test("are all told, with line and column", () => {
    expect(summary("plan_id: [1, 2\nversion: }\n")).toEqual([
      "YAML_SYNTAX 2:1 flow sequence in block collection must be sufficiently indented and end with a ]",
      'YAML_SYNTAX 2:10 unexpected flow-map-end token in YAML stream: "}"',
    ]);
  });

  test.each([
    ["a tab as indentation", "phases:\n\t- id: a\n", "YAML_SYNTAX 2:1 tabs are not allowed as indentation"],
    ["an open quote", 'plan_id: "p\nversion: 1', 'YAML_SYNTAX 2:11 missing closing " quote'],
    ["JSON without a comma", '{"plan_id": "p"\n "version": "1"}', "YAML_SYNTAX 2:2 missing , between flow map items"],
    [
      "a second document",
      "plan_id: p\n---\na: 1\n",
      "YAML_SYNTAX 2:1 a second document starts here; keep one plan in a file",
    ],
    ["a key that is a list", "? [a]\n: b\n", "YAML_SYNTAX 1:3 a key has to be text, not a list or a map"],
  ])("are told: %s", (_title, text, expected) => {
    expect(summary(text)).toContain(expected);
  });

  test("hide nothing that was already read: a key given twice does not stop the other checks", () => {
    expect(compileYamlSummary('phases:\n  - id: a\n    command: x\n    command: "y"\n    retries: -1\n')).toEqual([
      "DUPLICATE_KEY 6:5 the key command is given twice in the same map",
      'OUT_OF_RANGE 7:14 phase "a": retries must be at least 0, not -1',
    ]);
  });

  test("include a key given twice in JSON", () => {
    expect(summary('{"plan_id": "p", "version": "1",\n"phases": [{"id": "a", "command": "x", "id": "b"}]}')).toEqual([
      'DUPLICATE_KEY 2:40 the key "id" is given twice in the same map',
    ]);
  });

  test("include tags, which have no meaning here", () => {
    expect(compileYamlSummary("phases:\n  - id: a\n    command: !env X\n")).toEqual([
      "UNKNOWN_TAG 5:14 unresolved tag: !env",
    ]);
  });
});

describe("a .json file", () => {
  const json = (text: string): string[] => summaryOf(compilePlanText({ text, file: "plan.JSON" }));

  test.each([
    ["a comma too many", '{"plan_id": "p",\n "a": [1,\n ]}', 3, 2, "JSON allows no comma before ]"],
    ["a comment", '{"plan_id": "p", // mine\n "a": 1}', 1, 18, "JSON has no comments"],
    ["a comment of YAML", "# mine\n{}", 1, 1, "JSON has no comments"],
    ["single quotes", "{'plan_id': 'p'}", 1, 2, "text stands in double quotes in JSON, not in single ones"],
    ["no quotes", "{plan_id: p}", 1, 2, 'this is not JSON: "p" cannot stand here'],
    ["YAML", "plan_id: p\n", 1, 1, 'this is not JSON: "p" cannot stand here'],
    ["no end", '{"plan_id": "p"', 1, 16, "the text ends in the middle of a value"],
  ])("has to be JSON: %s", (_what, text, line, column, message) => {
    const hint = "what a .json file says has to be JSON; comments and trailing commas are for .yaml";
    const problems = json(text);
    expect(problems).toContain(`JSON_SYNTAX ${line}:${column} ${message} (${hint})`);
    expect(problems.join()).not.toContain("YAML");
  });

  test("may be indented by tabs", () => {
    const text =
      '{\n\t"plan_id": "p",\r\n\t"version": "1",\n\t"phases": [\n\t\t{"id": "a", "command": "x", "name": "\\u00e9\\/"}\n\t]\n}\n';
    expect(planOf(compilePlanText({ text, file: "plan.json" })).phases[0]?.name).toBe("é/");
  });

  test("is read on for what else is wrong", () => {
    const problems = json('{"plan_id": "p", "version": "1", "phases": [{"id": "a", "comand": "x"},]}');
    expect(problems.join("\n")).toMatch(/JSON_SYNTAX 1:72 .*\n?/);
    expect(problems.join("\n")).toMatch(/UNKNOWN_KEY/);
  });

  test("is a matter of the name: the same text is good YAML", () => {
    expect(
      compilePlanText({
        text: '{"plan_id": "p", "version": "1", "phases": [{"id": "a", "command": "x"},]}',
        file: "plan.yaml",
      }).ok,
    ).toBe(true);
  });
});

/** What could blow up ends within seconds on any machine; the time limit only tells seconds from minutes. */
describe("anchors and aliases", { timeout: 60_000 }, () => {
  test("stand for what they name, also as merge keys", () => {
    const plan = planOf(
      compileYaml(
        "metadata: { base: &base { command: node, retries: 3 }, env: &env { A: '1' } }\n" +
          "phases:\n  - { <<: *base, id: a, env: *env }\n  - { <<: [*base], id: b, retries: 1, env: *env }\n",
      ),
    );
    expect(plan.phases).toMatchObject([
      { work: { command: "node" }, env: { A: "1" }, retry: { retries: 3 } },
      { work: { command: "node" }, env: { A: "1" }, retry: { retries: 1 } },
    ]);
  });

  test("lead a problem to the place where the value stands", () => {
    const body = "metadata: { base: &base { command: node, retries: -3 } }\nphases:\n  - { <<: *base, id: a }\n";
    expect(compileYamlSummary(body)).toEqual(['OUT_OF_RANGE 3:51 phase "a": retries must be at least 0, not -3']);
  });

  test("are all named when they have no anchor", () => {
    expect(compileYamlSummary("phases: *one\nmetadata: { a: *two }\n")).toEqual([
      "UNKNOWN_ALIAS 3:9 no anchor &one stands before the alias *one",
      "UNKNOWN_ALIAS 4:16 no anchor &two stands before the alias *two",
    ]);
  });

  test("may be used by every one of thousands of phases", () => {
    const phases = Array.from({ length: 2_000 }, (_, index) => `  - { id: p${index}, command: x, env: *env }\n`);
    const plan = planOf(compileYaml(`metadata: { env: &env { A: '1' } }\nphases:\n${phases.join("")}`));
    expect(plan.phases).toHaveLength(2_000);
  });

  test("cannot blow up: a billion laughs are refused at once", () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const item = level === 0 ? "ha" : `*l${level - 1}`;
      return `  l${level}: &l${level} [${Array.from({ length: 10 }, () => item).join(", ")}]\n`;
    });
    expect(compileYamlSummary(`phases: [{ id: a, command: x }]\nmetadata:\n${levels.join("")}`)).toMatchObject([
      expect.stringMatching(/^TOO_LARGE /),
    ]);
  });

  test("cannot blow up with few aliases of something large", () => {
    const large = `[${"1, ".repeat(30_000)}1]`;
    const body = `phases: [{ id: a, command: x }]\nmetadata:\n  a: &a ${large}\n  b: [${"*a, ".repeat(99)}*a]\n`;
    expect(compileYamlSummary(body)).toMatchObject([expect.stringMatching(/^TOO_LARGE .*more than 2000000 values/)]);
  });

  test("cannot blow up by merging", () => {
    const many = Array.from({ length: 2_000 }, (_, index) => `k${index}: 1`).join(", ");
    const maps = "    - { <<: *a }\n".repeat(1_000);
    const body = `phases: [{ id: a, command: x }]\nmetadata:\n  a: &a { ${many} }\n  b:\n${maps}`;
    expect(compileYamlSummary(body)).toMatchObject([expect.stringMatching(/^TOO_LARGE .* more than 1000000 keys/)]);
  });

  test("name the last anchor before them, and an own key wins over a merged one", () => {
    const plan = planOf(
      compileYaml(
        "metadata: { one: &x { A: '1', B: '1' }, two: *x, three: &x { A: '2' } }\n" +
          "phases: [{ id: a, command: x, env: { B: own, <<: [*x, { A: '3', C: '3' }] } }]\n",
      ),
    );
    expect(plan.metadata).toMatchObject({ two: { A: "1" } });
    expect(plan.phases[0]?.env).toEqual({ A: "2", B: "own", C: "3" });
  });

  test("merge maps only; a quoted << is a key like any other", () => {
    expect(compileYamlSummary("phases: [{ id: a, command: x, <<: 5 }]\n")).toEqual([
      "YAML_SYNTAX 3:35 << takes a map, or a list of maps",
    ]);
    expect(compileYamlSummary("phases: [{ id: a, command: x }]\nmetadata: { '<<': 5 }\n")).toEqual([]);
  });

  test("cannot hold themselves", () => {
    expect(compileYamlSummary("metadata: &m { a: *m }\nphases: [{ id: a, command: x }]\n")).toEqual([
      "TOO_LARGE 3:19 the alias *m stands for something that contains it",
    ]);
  });
});

describe("hostile and unusual text", () => {
  test.each([
    ["flow lists", "[".repeat(20_000)],
    ["compact lists", "- ".repeat(2_000)],
    ["maps", Array.from({ length: 500 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ])("is refused when it is nested too deep: %s", (_title, text) => {
    expect(summary(text)).toMatchObject([expect.stringMatching(/^TOO_LARGE .* nested more than 100 deep here/)]);
  });

  test("has the same positions with a byte order mark and with Windows line ends", () => {
    const text = "plan_id: p\nversion: '1'\nphases:\n  - id: a\n    comand: x\n";
    const expected = ['UNKNOWN_KEY 5:5 phase "a": unknown key "comand" (did you mean "command"?)'];
    expect(summary(text)).toEqual(expected);
    expect(summary(`\uFEFF${text}`)).toEqual(expected);
    expect(summary(text.replaceAll("\n", "\r\n"))).toEqual(expected);
  });

  test("reads `__proto__` as a key like any other", () => {
    expect(compileYamlSummary("phases: [{ id: a, command: x, __proto__: { retries: 7 } }]\n")).toEqual([
      'UNKNOWN_KEY 3:31 phase "a": unknown key "__proto__"',
    ]);
  });
});

function compileYamlSummary(body: string): string[] {
  return summaryOf(compileYaml(body));
}
