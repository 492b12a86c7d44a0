/**
 * Why a server that answers does not do what it is asked, for now. Each is refused before anything was done, so the
 * same command may be sent again.
 */
export type Refusal = "full" | "read_only" | "loading" | "busy" | "not_saving" | "cluster_down";

const REPLIES: readonly (readonly [Refusal, RegExp])[] = [
  ["full", /\bOOM command not allowed/],
  ["read_only", /\bREADONLY You can't write|\bMASTERDOWN\b/],
  ["loading", /\bLOADING\b/],
  ["busy", /\bBUSY Redis is busy/],
  ["not_saving", /\bMISCONF\b|\bNOREPLICAS\b/],
  ["cluster_down", /\bCLUSTERDOWN\b/],
];

/** Why an error's command was refused; undefined when it was not, or not only for now. */
export function findRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const found = REPLIES.find(([, pattern]) => pattern.test(error.message))?.[0];
  if (found !== undefined || !("previousErrors" in error) || !Array.isArray(error.previousErrors)) return found;
  return error.previousErrors.map((previous) => findRefusal(previous)).find((refusal) => refusal !== undefined);
}

const SENTENCES: Readonly<Record<Refusal, string>> = {
  full: "has no memory left (maxmemory is reached) and takes no writes; everything waits: give it more (CONFIG SET maxmemory …)",
  read_only: "is a replica now and takes no writes; everything waits, and looks for the master",
  loading: "is loading its data; everything waits until it has",
  busy: "is busy with a script; everything waits",
  not_saving: "takes no writes because it cannot save or replicate them; everything waits: look at its log",
  cluster_down: "is a cluster that is down; everything waits until all its slots are served",
};

/** The predicate of a sentence about a server, for people. */
export function describeRefusal(refusal: Refusal): string {
  return SENTENCES[refusal];
}
