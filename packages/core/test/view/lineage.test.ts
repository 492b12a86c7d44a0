import { describe, expect, test } from "vitest";
import { type LineageFacts, lineageOf, type RevisionFacts } from "../../src/view/lineage.ts";
import { lineageMermaid, lineageText } from "../../src/view/lineage-text.ts";

const SHA = "ab".repeat(32);

function made(phase: string, revision: number, from: readonly string[] = [], name = phase): RevisionFacts {
  return {
    phase,
    revision,
    produced: [{ artifact_id: `art_${phase}${revision}`, name, sha256: SHA, size_bytes: 2_048 }],
    consumed: from.map((text) => {
      const [source = "", of = "1"] = text.split("@");
      return { name: source, phase: source, revision: Number(of), sha256: SHA, size_bytes: 2_048 };
    }),
  };
}

function factsOf(...revisions: readonly RevisionFacts[]): LineageFacts {
  return { run_id: "run_1", revisions, idOf: ({ phase, revision }) => `art_${phase}${revision}` };
}

const DIAMOND = factsOf(made("a", 1), made("b", 1, ["a"]), made("c", 1, ["a"]), made("d", 1, ["b", "c"]), made("e", 1));

describe("lineage", () => {
  test("leads up to all that something was made from, and to nothing else", () => {
    const { nodes, edges, roots } = lineageOf(DIAMOND, [{ phase: "b", revision: 1 }], "up");
    expect(roots).toEqual(["b@r1"]);
    expect(nodes.map(({ id }) => id)).toEqual(["a@r1", "a@r1/a", "b@r1"]);
    expect(edges).toEqual([
      { from: "a@r1", to: "a@r1/a" },
      { from: "a@r1/a", to: "b@r1" },
    ]);
  });

  test("leads down to all that was made of an artifact", () => {
    const [a] = DIAMOND.revisions;
    const artifact = a?.produced[0];
    if (artifact === undefined) throw new Error("no artifact");
    const { nodes } = lineageOf(DIAMOND, [{ phase: "a", revision: 1, artifact }], "down");
    expect(nodes.map(({ id }) => id)).toEqual(["a@r1/a", "b@r1", "b@r1/b", "c@r1", "c@r1/c", "d@r1", "d@r1/d"]);
  });

  test("tells which revision was read, also when there is a later one", () => {
    const facts = factsOf(made("a", 1), made("a", 2), made("b", 1, ["a@1"]), made("b", 2, ["a@2"]));
    const up = (revision: number): string[] =>
      lineageOf(facts, [{ phase: "b", revision }], "up").nodes.map(({ id }) => id);
    expect(up(1)).toEqual(["a@r1", "a@r1/a", "b@r1"]);
    expect(up(2)).toEqual(["a@r2", "a@r2/a", "b@r2"]);
  });

  test("has what was read even where nothing is known of its maker, and what is asked for even alone", () => {
    const facts = factsOf(made("b", 1, ["gone"]));
    expect(lineageOf(facts, [{ phase: "b", revision: 1 }], "up").nodes.map(({ id }) => id)).toContain("gone@r1/gone");
    expect(lineageOf(facts, [{ phase: "x", revision: 3 }], "both").nodes.map(({ id }) => id)).toEqual(["x@r3"]);
  });
});

describe("as text", () => {
  test("is a tree that unfolds each thing once", () => {
    expect(lineageText(lineageOf(DIAMOND, [{ phase: "d", revision: 1 }], "up"))).toBe(
      [
        "d r1",
        "├─ b (abababababab, 2.0 KiB)",
        "│  └─ b r1",
        "│     └─ a (abababababab, 2.0 KiB)",
        "│        └─ a r1",
        "└─ c (abababababab, 2.0 KiB)",
        "   └─ c r1",
        "      └─ a (abababababab, 2.0 KiB), above",
        "",
      ].join("\n"),
    );
  });

  test("is a chart whose labels cannot end early", () => {
    const facts = factsOf(made("a[language=french]", 1, [], 'it"s'));
    const chart = lineageMermaid(lineageOf(facts, [{ phase: "a[language=french]", revision: 1 }], "down"));
    expect(chart.split("\n").slice(0, 4)).toEqual([
      "flowchart LR",
      '  n0["a#91;language=french#93; r1"]',
      '  n1(["it#34;s"])',
      "  n0 --> n1",
    ]);
  });
});
