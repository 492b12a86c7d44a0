/** What a path of the page shows. */
export type Route =
  | { readonly page: "runs" | "workers" | "templates" | "new" | "unknown" }
  | { readonly page: "run"; readonly runId: string }
  | { readonly page: "shard"; readonly runId: string; readonly phase: string; readonly shard: number };

/** Reads a path below the page's base; it starts with a slash. */
export function readRoute(path: string): Route {
  const parts = path.split("/").filter(Boolean).map(decode);
  const [head, runId, phases, phase, shards, shard] = parts;
  if (head === undefined || (head === "runs" && runId === undefined)) return { page: "runs" };
  if (parts.length === 1 && (head === "workers" || head === "templates" || head === "new")) return { page: head };
  if (head !== "runs" || runId === undefined) return { page: "unknown" };
  if (parts.length === 2) return { page: "run", runId };
  const isShard = parts.length === 6 && phases === "phases" && shards === "shards";
  if (!isShard || phase === undefined || !/^\d+$/.test(shard ?? "")) return { page: "unknown" };
  return { page: "shard", runId, phase, shard: Number(shard) };
}

/** Path of a run's page. */
export function runPath(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

/** Path of a template's details; of its latest version when none is given. */
export function templatePath(name: string, version: string | null = null): string {
  const search = new URLSearchParams({ name, ...(version === null ? {} : { version }) });
  return `/templates?${search}`;
}

/** Path of the page that starts a run of a template, `NAME` or `NAME@VERSION`. */
export function newRunPath(template: string): string {
  return `/new?${new URLSearchParams({ from: "template", template })}`;
}

/** Path of a shard's page. */
export function shardPath(runId: string, phase: string, shard: number): string {
  return `${runPath(runId)}/phases/${encodeURIComponent(phase)}/shards/${shard}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
