import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { collectArtifacts, gatherLineage, lineageRoots, listArtifacts, resolveArtifact } from "@fanfold/engine";
import { type ArtifactRecord, ArtifactRecordSchema, type PlanInput } from "@fanfold/schemas";
import { readContent } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const ROWS = Array.from({ length: 6 }, (_, n) => ({ n }));
const REPORT = {
  type: "artifact",
  name: "notes",
  path: "$FANFOLD_OUTPUT.notes",
  artifact_type: "report",
  format: "md",
  metadata: { reviewer: "mira" },
};

type Phases = Extract<PlanInput, { phases: unknown }>["phases"];

function plan(...phases: Phases): PlanInput {
  return { plan_id: "artifacts", version: "1", phases };
}

function shell(script: string): { command: string; shell: true } {
  return { command: script, shell: true };
}

async function listAll(deployment: Deployment, runId: string): Promise<ArtifactRecord[]> {
  const { artifacts, next_cursor } = await listArtifacts(deployment.engine, runId, { limit: 1_000 });
  expect(next_cursor).toBeNull();
  return artifacts.map((record) => ArtifactRecordSchema.parse(record));
}

/** `phase[shard]#attempt name (type)` */
function brief({ phase, shard, attempt, name, type }: ArtifactRecord): string {
  return `${phase}${shard === null ? "" : `[${shard}]`}${attempt === null ? "" : `#${attempt}`} ${name} (${type})`;
}

describe("the artifacts of a run", () => {
  test(
    "are its outputs with what their makers say of them, the outputs of shards, and the logs",
    withDeployment(async (deployment) => {
      const said = JSON.stringify(REPORT).replaceAll('"', '\\"');
      const { run_id } = await deployment.run(
        plan(
          {
            id: "write",
            ...shell(`echo text > "$FANFOLD_OUTPUT.notes"; echo "${said}" >> "$FANFOLD_EVENTS"; echo body; echo e >&2`),
            provides: ["body", "notes"],
          },
          {
            id: "cut",
            ...shell('cat "$FANFOLD_INPUT"'),
            shard: { strategy: "chunk", over: ROWS, chunk_size: 3 },
            provides: ["rows.jsonl"],
          },
        ),
      );
      const artifacts = await listAll(deployment, run_id);
      expect(artifacts.map(brief)).toEqual([
        "write#1 body (file)",
        "write#1 notes (report)",
        "write#1 log (log)",
        "cut rows.jsonl (file)",
        "cut[0]#1 rows.jsonl (file)",
        "cut[0]#1 log (log)",
        "cut[1]#1 rows.jsonl (file)",
        "cut[1]#1 log (log)",
      ]);
      expect(artifacts[1]).toMatchObject({ format: "md", media_type: "text/markdown", metadata: { reviewer: "mira" } });
      expect(artifacts[3]).toMatchObject({ format: "jsonl", media_type: "application/x-ndjson", size_bytes: 48 });
      for (const { created_at } of artifacts) expect(created_at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
      expect(new Set(artifacts.map(({ artifact_id }) => artifact_id)).size).toBe(artifacts.length);
      expect((await listAll(deployment, run_id)).map(({ artifact_id }) => artifact_id)).toEqual(
        artifacts.map(({ artifact_id }) => artifact_id),
      );
    }),
  );

  test(
    "come in pages that together are all of them",
    withDeployment(async (deployment) => {
      const cut = { strategy: "chunk", over: ROWS, chunk_size: 1 } as const;
      const { run_id } = await deployment.run(
        plan({ id: "one", command: "echo", args: ["1"] }, { id: "cut", ...shell('cat "$FANFOLD_INPUT"'), shard: cut }),
      );
      const all = (await listAll(deployment, run_id)).map(brief);
      for (const limit of [1, 2, 5]) {
        const paged: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await listArtifacts(deployment.engine, run_id, { limit, ...(cursor ? { cursor } : {}) });
          expect(page.artifacts.length).toBeLessThanOrEqual(limit);
          paged.push(...page.artifacts.map(brief));
          cursor = page.next_cursor ?? undefined;
        } while (cursor !== undefined);
        expect(paged).toEqual(all);
      }
      const logs = await listArtifacts(deployment.engine, run_id, { limit: 2, type: "log", shard: 4 });
      expect(logs.artifacts.map(brief)).toEqual(["cut[4]#1 log (log)"]);
      const odd = listArtifacts(deployment.engine, run_id, { limit: 2, cursor: "bogus" });
      await expect(odd).rejects.toMatchObject({ code: "INVALID_CURSOR" });
    }),
  );
});

describe("what attempts collect", () => {
  test(
    "are artifacts under their paths, of the phase or of the shard, and their content stays with the run",
    withDeployment(async (deployment) => {
      const { run_id } = await deployment.run(
        plan(
          {
            id: "think",
            ...shell("echo hm; mkdir -p notes; echo idea > notes/a.md; echo '{\"answer\":42}'"),
            collect: ["stdout_final", { files: ["notes/*.md"] }],
          },
          {
            id: "cut",
            ...shell('cat "$FANFOLD_INPUT"; echo $FANFOLD_SHARD_INDEX > "part-$FANFOLD_SHARD_INDEX.txt"'),
            shard: { strategy: "chunk", over: ROWS, chunk_size: 3 },
            collect: { files: ["part-*.txt"] },
            max_parallel: 1,
            depends_on: ["think"],
          },
        ),
      );
      const artifacts = await listAll(deployment, run_id);
      expect(artifacts.filter(({ type }) => type !== "log").map(brief)).toEqual([
        "think#1 think (file)",
        "think#1 notes/a.md (file)",
        "cut cut (file)",
        "cut[0]#1 cut (file)",
        "cut[0]#1 part-0.txt (file)",
        "cut[1]#1 cut (file)",
        "cut[1]#1 part-0.txt (file)",
        "cut[1]#1 part-1.txt (file)",
      ]);
      const found = await resolveArtifact(deployment.engine, run_id, "think/notes/a.md");
      expect(found.record).toMatchObject({ media_type: "text/markdown", location: expect.stringMatching(/^file:\//) });
      const gone = await collectArtifacts(deployment.engine, { graceMs: 0, dryRun: false });
      expect(gone.files).toBe(0);
      expect(Buffer.from(await readContent(deployment.store.artifacts, found.content)).toString()).toBe("idea\n");
      const [output] = (await deployment.store.runs.loadPhases(run_id)).get("think")?.artifacts ?? [];
      expect(output?.inline).toBe('{"answer":42}\n');
    }),
  );
});

describe("a failed attempt", () => {
  test(
    "leaves what helps to understand it: last lines, exit code, and names of variables without their values",
    withDeployment(async (deployment) => {
      process.env["FANFOLD_SECRET_KEY"] = "hush-hush-42";
      const { run_id } = await deployment.run(
        plan({
          id: "broken",
          ...shell('test "$FANFOLD_ATTEMPT" = 2 && exit 0; echo "token $KEY"; echo last words >&2; exit 7'),
          env: { KEY: "${secret:KEY}", PLAIN: "visible-value" },
          retries: 1,
          retry_delay_sec: 0,
        }),
      );
      delete process.env["FANFOLD_SECRET_KEY"];
      const artifacts = await listAll(deployment, run_id);
      expect(artifacts.map(brief)).toEqual([
        "broken#1 log (log)",
        "broken#1 error_context (error_context)",
        "broken#2 broken (file)",
      ]);
      const record = await deployment.store.ledger.findShard(run_id, { phase: "broken", revision: 1, shard: 0 });
      const content = record?.history?.[0]?.error_context;
      if (content === undefined) throw new Error("no error context");
      const text = Buffer.from(await readContent(deployment.store.artifacts, content)).toString("utf8");
      const context: unknown = JSON.parse(text);
      expect(context).toMatchObject({ error_code: "EXIT_NONZERO", exit_code: 7, attempt: 1, shell: true });
      expect(context).toMatchObject({ env_names: expect.arrayContaining(["KEY", "PLAIN", "PATH", "FANFOLD_PHASE"]) });
      expect(context).toMatchObject({ last_lines: expect.arrayContaining(["last words"]) });
      for (const value of ["hush-hush-42", "visible-value"]) expect(text).not.toContain(value);
    }),
  );
});

describe("what attempts were given", () => {
  test(
    "is kept once for all shards of a phase, and named by the record of each attempt",
    withDeployment(async (deployment) => {
      const { run_id } = await deployment.run(
        plan(
          { id: "rows", ...shell('printf \'{"n":1}\\n{"n":2}\\n{"n":3}\\n\'') },
          { id: "rules", command: "echo", args: ["r"] },
          {
            id: "apply",
            ...shell('cat "$FANFOLD_INPUT"'),
            shard: { strategy: "chunk", over: "rows", chunk_size: 1 },
            depends_on: ["rows", "rules"],
            consumes: ["rules"],
          },
        ),
      );
      const sets = await deployment.store.consumptions.load(run_id);
      expect(sets).toHaveLength(1);
      expect(sets[0]).toMatchObject({ phase: "apply", revision: 1 });
      const [rows, rules] = await Promise.all(
        ["rows", "rules"].map(async (id) => (await deployment.store.runs.loadPhases(run_id)).get(id)?.artifacts?.[0]),
      );
      expect(sets[0]?.consumption.artifacts).toEqual([
        { name: "rules", phase: "rules", revision: 1, sha256: rules?.sha256, size_bytes: 2 },
        { name: "rows", phase: "rows", revision: 1, sha256: rows?.sha256, size_bytes: 24 },
      ]);
      const shards = await deployment.store.ledger.listShards(run_id, { phase: "apply", revision: 1 }, 0, 3);
      expect(shards.map((record) => record?.consumed)).toEqual(Array(3).fill(sets[0]?.id));
    }),
  );
});

describe("lineage after a phase has run again", () => {
  test(
    "says which revision each output was made from, and names find the latest one that has them",
    withDeployment(async (deployment) => {
      const source = join(deployment.dir, "source.txt");
      await writeFile(source, "one\n");
      const runId = await deployment.submit(
        plan(
          { id: "read", command: "cat", args: ["source.txt"] },
          { id: "use", ...shell('cat "$FANFOLD_ARTIFACTS/read"'), depends_on: ["read"], consumes: ["read"] },
          { id: "end", ...shell('cat "$FANFOLD_ARTIFACTS/use"'), depends_on: ["use"], consumes: ["use"] },
        ),
      );
      await deployment.ended(runId);
      await writeFile(source, "two\n");
      await deployment.engine.rerun(runId, { phases: ["read"], reach: "downstream" }, "test");
      await eventually(async () => {
        const { revision, status } = (await deployment.store.runs.loadPhases(runId)).get("end") ?? {};
        if (revision !== 2 || status !== "succeeded") throw new Error(`end is ${status} in r${revision}`);
      });
      const up = async (what: string): Promise<string[]> => {
        const roots = await lineageRoots(deployment.engine, runId, what);
        const { nodes } = await gatherLineage(deployment.engine, runId, roots, "up");
        return nodes.map(({ id }) => id);
      };
      expect(await up("end@r1")).toEqual(["read@r1", "read@r1/read", "use@r1", "use@r1/use", "end@r1"]);
      expect(await up("end")).toEqual(["read@r2", "read@r2/read", "use@r2", "use@r2/use", "end@r2"]);
      const whole = await gatherLineage(deployment.engine, runId, [], "both");
      expect(whole.nodes.filter(({ kind }) => kind === "phase").map(({ id }) => id)).toEqual([
        "read@r1",
        "read@r2",
        "use@r1",
        "use@r2",
        "end@r1",
        "end@r2",
      ]);
      const hashes = whole.nodes.flatMap((node) => (node.kind === "artifact" ? [node.artifact_id] : []));
      const listed = (await listAll(deployment, runId)).map(({ artifact_id }) => artifact_id);
      expect(listed).toEqual(expect.arrayContaining(hashes));
      const contentOf = async (name: string): Promise<string> => {
        const { content } = await resolveArtifact(deployment.engine, runId, name);
        return Buffer.from(await readContent(deployment.store.artifacts, content)).toString();
      };
      expect([await contentOf("use"), await contentOf("use@r1/use"), await contentOf("read/log")]).toEqual([
        "two\n",
        "one\n",
        "two\n",
      ]);
      await expect(contentOf("use@r3/use")).rejects.toMatchObject({ code: "UNKNOWN_ARTIFACT" });
      await expect(contentOf("art_0123456789")).rejects.toMatchObject({ code: "UNKNOWN_ARTIFACT" });
    }),
  );
});
