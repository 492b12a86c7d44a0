import type { Lineage } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { drawingUrl, indentJson, previewBytes, previewKind, tableOf } from "../../web/src/artifacts/preview-model.ts";
import { nodeTitle, stepsOf } from "../../web/src/lineage/lineage-model.ts";

describe("a preview", () => {
  test.each([
    ["a.png", "image/png", "image/png", "picture"],
    ["a.svg", "image/svg+xml", "text/plain; charset=utf-8", "drawing"],
    ["a", "image/svg+xml", "text/plain", "drawing"],
    ["a.svg", "image/svg+xml", "image/svg+xml", "none"],
    ["a.html", "text/html", "text/plain; charset=utf-8", "text"],
    ["a.html", "text/html", "text/html", "text"],
    ["a", "image/png", "application/octet-stream", "none"],
    ["a.pdf", "application/pdf", "application/octet-stream", "none"],
    ["a", "text/plain", "application/json", "json"],
    ["a", "text/plain", "application/x-ndjson", "records"],
  ])("of %s, said to be %s and sent as %s, is %s", (name, saidType, sentType, kind) => {
    expect(previewKind({ name, media_type: saidType, format: null }, sentType)).toBe(kind);
  });

  test("takes a single line for records where they are said to be records, and pictures whole", () => {
    expect(previewKind({ name: "a", media_type: "", format: "jsonl" }, "application/json")).toBe("records");
    expect(previewBytes({ name: "a.PNG", media_type: "" })).toBe(8_388_608);
    expect(previewBytes({ name: "a.svg", media_type: "image/svg+xml" })).toBe(262_144);
  });

  test("is a table of records, whatever their fields", () => {
    const text = '{"a":1,"b":[2]}\n\n"word"\nnot json\n{"a":null}\n{"a":"cut';
    expect(tableOf(text, true)).toEqual({
      columns: ["a", "b", "value"],
      rows: [
        ["1", "[2]", ""],
        ["", "", "word"],
        ["", "", "not json"],
        ["null", "", ""],
      ],
      hiddenColumns: 0,
      isCut: true,
    });
    const many = tableOf('{"n":1}\n'.repeat(201), false);
    expect([many.rows.length, many.isCut]).toEqual([200, true]);
    const wide = tableOf(JSON.stringify(Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`f${n}`, n]))), false);
    expect([wide.columns.length, wide.hiddenColumns]).toEqual([12, 3]);
    expect(tableOf(JSON.stringify({ a: "x".repeat(300) }), false).rows[0]?.[0]).toHaveLength(201);
    expect(tableOf('{"__proto__":1}', false).columns).toEqual(["__proto__"]);
  });

  test("indents JSON and leaves anything else", () => {
    expect(indentJson('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(indentJson('{"a":')).toBe('{"a":');
    expect(drawingUrl('<svg a="#"/>')).toBe("data:image/svg+xml;charset=utf-8,%3Csvg%20a%3D%22%23%22%2F%3E");
  });
});

describe("the list of a lineage", () => {
  const artifact = { kind: "artifact", sha256: "", size_bytes: 1 } as const;
  const nodes: Lineage["nodes"] = [
    { ...artifact, id: "in", artifact_id: "art_1", name: "in", phase: "a", revision: 1 },
    { id: "b@r2", kind: "phase", phase: "b[l=de]", revision: 2 },
    { ...artifact, id: "out", artifact_id: "art_2", name: "out", phase: "b[l=de]", revision: 2 },
  ];

  test("has a step for each phase, and for an artifact whose maker is not shown", () => {
    const edges = [
      { from: "in", to: "b@r2" },
      { from: "b@r2", to: "out" },
      { from: "b@r2", to: "nowhere" },
    ];
    const steps = stepsOf({ run_id: "r", direction: "both", roots: [], nodes, edges });
    const ids = (list: readonly { id: string }[]): string[] => list.map(({ id }) => id);
    expect(steps.map(({ node, before, after }) => [node.id, ids(before), ids(after)])).toEqual([
      ["in", [], ["b@r2"]],
      ["b@r2", ["in"], ["out"]],
    ]);
    expect(nodes.map(nodeTitle)).toEqual(["in of a r1", "b de r2", "out of b de r2"]);
  });
});
