/** Where a link leads, and what it is called. */
export interface JobLink {
  readonly displayText: string;
  readonly href: string;
}

/**
 * The page of what a job works at: its shard, else its run, else all runs.
 *
 * @param basePath path that the dashboard is served below, without a slash at its end
 * @param data of a job on any queue; nothing of it is taken for granted
 */
export function jobPage(basePath: string, data: unknown): JobLink {
  const { run_id: runId, phase, shard }: Record<string, unknown> = isRecord(data) ? data : {};
  if (typeof runId !== "string") return { displayText: "Runs", href: `${basePath}/` };
  const run = `${basePath}/runs/${encodeURIComponent(runId)}`;
  if (typeof phase !== "string") return { displayText: "Run", href: run };
  if (typeof shard !== "number") return { displayText: "Phase", href: `${run}?phase=${encodeURIComponent(phase)}` };
  return { displayText: "Shard", href: `${run}/phases/${encodeURIComponent(phase)}/shards/${shard}` };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
