import { expect, test } from "vitest";
import { jobPage } from "../../src/server/job-page.ts";

test.each([
  [
    { run_id: "r/1", phase: "t[l=fr]", revision: 1, shard: 3 },
    "Shard",
    "/base/runs/r%2F1/phases/t%5Bl%3Dfr%5D/shards/3",
  ],
  [{ run_id: "r", phase: "t", revision: 1, shard_count: 3 }, "Phase", "/base/runs/r?phase=t"],
  [{ kind: "start", run_id: "r" }, "Run", "/base/runs/r"],
  [{ kind: "sweep" }, "Runs", "/base/"],
  [undefined, "Runs", "/base/"],
])("leads from a job with %j to its %s", (data, displayText, href) => {
  expect(jobPage("/base", data)).toEqual({ displayText, href });
});
