import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { planGraphText } from "../../src/plan/plan-graph-text.ts";
import { planOf, type SamplePhase, samplePlan } from "./plan-samples.ts";

function draw(format: "mermaid" | "dot", phases: readonly SamplePhase[]): string {
  return planGraphText(
    planOf(compilePlanValue(samplePlan(phases.map((phase) => ({ command: "x", ...phase }))))),
    format,
  );
}

const PHASES: SamplePhase[] = [
  { id: "a", name: 'All "of" it', on_failure: "continue" },
  { id: "t", matrix: { l: ["fr", "ja"] }, depends_on: ["a"], shard: { strategy: "scene", over: [1] } },
  {
    id: "b",
    depends_on: [
      { phase: "a", kind: "soft" },
      { phase: "t", kind: "soft", when: "always" },
    ],
  },
  { id: "c", depends_on: [{ phase: "a", when: "failure" }], enabled: false },
];

describe("a drawing of a plan", () => {
  test("in Mermaid", () => {
    expect(draw("mermaid", PHASES)).toBe(`flowchart TD
  p0["a<br/>All #34;of#34; it"]
  subgraph g1 ["t"]
    p1[["l=fr<br/>shards by scene"]]
    p2[["l=ja<br/>shards by scene"]]
  end
  p3["b"]
  p4["c"]
  p0 --> p1
  p0 --> p2
  p0 -.-> p3
  p1 -.->|always| p3
  p2 -.->|always| p3
  p0 -->|failure| p4
  classDef absent stroke-dasharray: 4 4,color:#888
  class p4 absent
`);
  });

  test("in DOT", () => {
    expect(draw("dot", PHASES)).toBe(String.raw`digraph "sample" {
  node [shape=box];
  p0 [label="a\nAll \"of\" it"];
  subgraph cluster_1 {
    label="t";
    p1 [label="l=fr\nshards by scene", shape=box3d];
    p2 [label="l=ja\nshards by scene", shape=box3d];
  }
  p3 [label="b"];
  p4 [label="c", style=dashed, color=gray, fontcolor=gray];
  p0 -> p1;
  p0 -> p2;
  p0 -> p3 [style=dashed];
  p1 -> p3 [style=dashed, color=gray, label=always];
  p2 -> p3 [style=dashed, color=gray, label=always];
  p0 -> p4 [color=red, label=failure];
}
`);
  });

  test("keeps hostile names inside their labels", () => {
    const hostile = fc.array(
      fc.constantFrom('"', "\\", "]", "]]", "\n", ";", "#", "<br/>", "</b>", "`", "|", "&", "%%", "é", "a", "\u0007"),
    );
    fc.assert(
      fc.property(hostile, (parts) => {
        const name = parts.join("");
        const phases = [
          { id: "a", name },
          { id: "b", depends_on: ["a"] },
        ];
        const mermaid = draw("mermaid", phases).split("\n");
        expect(mermaid).toHaveLength(5);
        expect(mermaid[1]).toMatch(/^ {2}p0\["a(<br\/>[^"<>\\`|&\]]*)?"\]$/);
        const dot = draw("dot", phases).split("\n");
        expect(dot).toHaveLength(7);
        expect(dot[2]).toMatch(/^ {2}p0 \[label="([^"\\]|\\["\\n])*"\];$/);
      }),
    );
  });
});
