import { chmod, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ArtifactRecordSchema, LineageSchema } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { inWorkspace, sha256 } from "./site.ts";

const LONG = "0123456789".repeat(3_000);

describe("fanfold artifacts and lineage", () => {
  test(
    "list, fetch, print and check what a run has made, and say what it was made from",
    inWorkspace(async (workspace) => {
      await workspace.write("plan.json", {
        plan_id: "kitchen",
        version: "1",
        phases: [
          { id: "dough", command: `printf '${LONG}'`, shell: true, provides: ["dough.txt"] },
          { id: "salt", command: "echo", args: ["salt"] },
          {
            id: "bread",
            command: 'cat "$FANFOLD_ARTIFACTS/dough.txt"; echo crumbs > crumbs.md',
            shell: true,
            depends_on: ["dough", "salt"],
            consumes: ["dough.txt"],
            collect: { files: ["*.md"] },
          },
        ],
      });
      expect((await workspace.run("run", "plan.json")).code).toBe(0);

      const lines = (await workspace.read("artifacts", "ls", "@latest", "--outputs", "--json")).trim().split("\n");
      const records = lines.map((line) => ArtifactRecordSchema.parse(JSON.parse(line)));
      const outputs = records.filter(({ type }) => type === "file");
      expect(outputs.map(({ phase, name }) => `${phase}/${name}`)).toEqual([
        "dough/dough.txt",
        "salt/salt",
        "bread/bread",
        "bread/crumbs.md",
      ]);
      const table = await workspace.read("artifacts", "ls", "@latest", "--phase", "bread", "--limit", "2");
      expect(table).toMatch(/^PHASE +NAME +TYPE +SIZE +SHA256/);
      expect(table.trim().split("\n")).toHaveLength(3);

      expect(await workspace.read("artifacts", "cat", "@latest", "bread/crumbs.md")).toBe("crumbs\n");
      expect(await workspace.read("artifacts", "cat", "@latest", outputs[1]?.artifact_id ?? "")).toBe("salt\n");
      const file = (await workspace.read("artifacts", "get", "@latest", "dough.txt", "-o", "out/d.txt")).trim();
      expect(await readFile(file, "utf8")).toBe(LONG);
      const none = await workspace.run("artifacts", "cat", "@latest", "bread/nothing");
      expect([none.code, none.stderr]).toEqual([4, expect.stringContaining("has no artifact bread/nothing")]);

      const up = await workspace.read("lineage", "@latest", "bread", "--up");
      expect(up.split("\n").slice(0, 3)).toEqual([
        "bread r1",
        expect.stringMatching(/^└─ dough\.txt \(/),
        "   └─ dough r1",
      ]);
      expect(up).not.toContain("salt");
      const down = LineageSchema.parse(
        JSON.parse(await workspace.read("lineage", "@latest", "dough", "--down", "--format", "json")),
      );
      expect(down.nodes.map(({ id }) => id)).toEqual(["dough@r1", "dough@r1/dough.txt", "bread@r1", "bread@r1/bread"]);
      expect(await workspace.read("lineage", "@latest", "--format", "mermaid")).toMatch(/^flowchart LR\n/);

      expect(await workspace.read("artifacts", "verify", "@latest")).toMatch(/^all right: \d+ artifacts, /);
      const stored = join(workspace.dir, ".fanfold/artifacts/sha256", sha256(LONG).slice(0, 2), sha256(LONG));
      await chmod(stored, 0o644);
      await writeFile(stored, "spoilt");
      const verified = await workspace.run("artifacts", "verify", "@latest", "--json");
      expect(verified.code).toBe(3);
      expect(JSON.parse(verified.stdout).bad).toMatchObject([
        { place: "dough@r1/dough.txt", why: expect.stringContaining("is corrupt") },
        { place: "dough@r1/log" },
        { place: "bread@r1/bread" },
        { place: "bread@r1/log" },
      ]);
      const got = await workspace.run("artifacts", "get", "@latest", "dough.txt", "-o", "bad/d.txt");
      expect(got.code).toBe(3);
      expect(await readdir(join(workspace.dir, "bad"))).toEqual([]);
    }),
  );
});
