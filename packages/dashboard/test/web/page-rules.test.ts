import type { RunListItem } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { layoutInLayers } from "../../web/src/graph/layers.ts";
import { cliCommand } from "../../web/src/format/cli-command.ts";
import { bytesText, durationText } from "../../web/src/format/format-text.ts";
import { phaseTitle } from "../../web/src/format/phase-title.ts";
import { readRoute, runPath, shardPath } from "../../web/src/routing/route.ts";
import { filterQuery, isInFilter, mergeRun, readFilter } from "../../web/src/runs/runs-filter.ts";

function runAt(createdMs: number, change: Partial<RunListItem> = {}): RunListItem {
  const times = { created_at_ms: createdMs, started_at_ms: null, finished_at_ms: null };
  const figures = {
    shards: null,
    percent: null,
    eta_sec: null,
    problem: null,
    is_paused: false,
    submitted_by: null,
    waiting_approvals: 0,
  };
  return {
    run_id: `r${createdMs}`,
    plan_id: "p",
    plan_version: "1",
    status: "queued",
    tags: [],
    ...times,
    ...figures,
    ...change,
  };
}

describe("the page", () => {
  test.each([
    ["/", { page: "runs" }],
    ["/runs/a%2Fb", { page: "run", runId: "a/b" }],
    [shardPath("r", "t[language=french]", 7), { page: "shard", runId: "r", phase: "t[language=french]", shard: 7 }],
    ["/runs/r/phases/p/shards/x", { page: "unknown" }],
    ["/workers", { page: "workers" }],
    ["/templates", { page: "templates" }],
    ["/workers/more", { page: "unknown" }],
    [runPath("%"), { page: "run", runId: "%" }],
  ])("reads the address %s", (path, route) => {
    expect(readRoute(path)).toEqual(route);
  });

  test("writes commands that a shell reads as they were meant", () => {
    expect(cliCommand("retry", "run_1", "--phase", "t[language=it's]")).toBe(
      String.raw`fanfold retry run_1 --phase 't[language=it'\''s]'`,
    );
    expect(phaseTitle("t[language=french,size=big]")).toBe("t french big");
    expect([durationText(940), durationText(12_440), durationText(185_000)]).toEqual(["940 ms", "12.4 s", "3 min 5 s"]);
    expect([bytesText(512), bytesText(13_204)]).toEqual(["512 B", "12.9 KiB"]);
  });

  test("narrows the list of runs by what the address says", () => {
    const filter = readFilter(new URLSearchParams("status=failed,nonsense&tag=novel&q=Glossary&time=1h"));
    expect(filterQuery(filter, 3_660_000)).toEqual({
      status: "failed",
      plan: "",
      tag: "novel",
      q: "Glossary",
      since_ms: 60_000,
    });
    const run = runAt(3_600_000, { status: "failed", tags: ["novel"], problem: "glossary mismatch" });
    expect(isInFilter(run, filter, 3_660_000)).toBe(true);
    expect(isInFilter({ ...run, status: "running" }, filter, 3_660_000)).toBe(false);
    expect(isInFilter(run, filter, 9_000_000)).toBe(false);
  });

  test("keeps the list in order when runs come, change and leave", () => {
    const list = [runAt(3), runAt(1)];
    const ids = (runs: readonly RunListItem[]) => runs.map(({ run_id: id }) => id);
    expect(ids(mergeRun(list, runAt(2), true))).toEqual(["r3", "r2", "r1"]);
    expect(ids(mergeRun(list, runAt(4), true))).toEqual(["r4", "r3", "r1"]);
    expect(ids(mergeRun(list, runAt(0), true))).toEqual(["r3", "r1", "r0"]);
    expect(ids(mergeRun([], runAt(0), true))).toEqual(["r0"]);
    expect(mergeRun(list, runAt(1, { status: "running" }), true)[1]?.status).toBe("running");
    expect(ids(mergeRun(list, runAt(3), false))).toEqual(["r1"]);
  });

  test("lays each phase out to the right of all it depends on", () => {
    const edge = (from: string, to: string) => ({ from, to, kind: "hard" as const, when: "success" as const });
    const edges = [edge("a", "b"), edge("b", "d"), edge("a", "d"), edge("a", "c"), edge("gone", "a")];
    const places = layoutInLayers(["d", "c", "b", "a"], edges);
    const columns = ["a", "b", "c", "d"].map((id) => places.get(id)?.x);
    expect(columns).toEqual([0, 290, 290, 580]);
    expect(places.get("c")?.y).toBeLessThan(places.get("b")?.y ?? 0);
  });
});
