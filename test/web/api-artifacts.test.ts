import { ArtifactPageSchema, type ArtifactRecord, LineageSchema, type PlanInput } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { ask, codeOf } from "./api-client.ts";
import { useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();

const HTML = "<html><script>alert(1)</script></html>";
const META = JSON.stringify({ type: "artifact", name: "page", path: "page.out", media_type: "text/html" });
const PLAN: PlanInput = {
  plan_id: "site",
  version: "1",
  phases: [
    {
      id: "page",
      command: `printf '%s' '${HTML}' > page.out; echo '${META}' >> "$FANFOLD_EVENTS"; echo note > a.md`,
      shell: true,
      collect: { files: ["*.md"] },
    },
    {
      id: "check",
      command: 'cat "$FANFOLD_ARTIFACTS/page" "$FANFOLD_INPUT"',
      shell: true,
      depends_on: ["page"],
      consumes: ["page"],
      shard: { strategy: "chunk", over: [{ n: 1 }, { n: 2 }], chunk_size: 1 },
      merge: { strategy: "concat" },
    },
  ],
};

describe("artifact records and lineage of the API", () => {
  test(
    "come in pages, with bytes that no browser runs, and say what was made from what",
    withDashboard(async ({ dashboard, deployment }) => {
      const runId = await deployment.submit(PLAN);
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const list = async (query: string): Promise<{ artifacts: ArtifactRecord[]; next_cursor: string | null }> =>
        ArtifactPageSchema.parse((await ask(dashboard, `/runs/${runId}/artifact-records?${query}`)).body);
      const all = await list("limit=1000");
      const first = await list("limit=2");
      const rest = await list(`limit=1000&cursor=${first.next_cursor}`);
      expect([...first.artifacts, ...rest.artifacts]).toEqual(all.artifacts);
      expect(all.artifacts.filter(({ type }) => type !== "log").map(({ name, shard }) => [name, shard])).toEqual([
        ["page", null],
        ["a.md", null],
        ["check", null],
        ["check", 0],
        ["check", 1],
      ]);
      expect((await list("phase=check&shard=1&type=file")).artifacts).toHaveLength(1);

      expect((await list("name=A.M")).artifacts.map(({ name }) => name)).toEqual(["a.md"]);

      const [page] = all.artifacts;
      const one = await ask(dashboard, `/runs/${runId}/artifact-records/${page?.artifact_id}?phase=page`);
      expect(one.body).toEqual(page);
      const elsewhere = await ask(dashboard, `/runs/${runId}/artifact-records/${page?.artifact_id}?phase=check`);
      expect(codeOf(elsewhere)).toBe("NOT_FOUND");
      expect(page).toMatchObject({ media_type: "text/html" });
      const contentUrl = `${dashboard.url}/api/v1/runs/${runId}/artifact-records/${page?.artifact_id}/content`;
      const content = await fetch(contentUrl);
      expect([await content.text(), content.headers.get("content-type")]).toEqual([HTML, "text/plain; charset=utf-8"]);
      expect(content.headers.get("content-security-policy")).toContain("sandbox");
      const gone = await ask(dashboard, `/runs/${runId}/artifact-records/art_${"0".repeat(24)}/content`);
      expect([gone.status, codeOf(gone)]).toEqual([404, "NOT_FOUND"]);
      expect(codeOf(await ask(dashboard, `/runs/${runId}/artifact-records?cursor=bogus`))).toBe("INVALID_REQUEST");

      const up = LineageSchema.parse((await ask(dashboard, `/runs/${runId}/lineage?of=check&direction=up`)).body);
      expect(up.nodes.map(({ id }) => id)).toEqual(["page@r1", "page@r1/page", "check@r1"]);
      expect(up.nodes.find(({ kind }) => kind === "artifact")).toMatchObject({ artifact_id: page?.artifact_id });
      expect((await ask(dashboard, `/runs/${runId}/lineage?of=nothing`)).status).toBe(404);
    }),
  );
});
