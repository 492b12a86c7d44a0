/** Everything that `$` can begin: `$$`, or `${…}` without braces inside. */
const REFERENCE = /\$\$|\$\{([^{}]*)\}/g;

/**
 * Replaces the references in a text, all in one pass: what takes their place is never looked at again, so it can
 * inject neither structure nor another reference. `$$` becomes `$`.
 *
 * @param find value of a name; undefined leaves the reference as it is
 */
export function substitute(text: string, find: (name: string, reference: string) => string | undefined): string {
  if (!text.includes("$")) return text;
  return text.replace(REFERENCE, (reference: string, name: string | undefined) =>
    name === undefined ? "$" : (find(name, reference) ?? reference),
  );
}

/** Whether a text refers to anything, so that it is not all literal. */
export function hasReference(text: string): boolean {
  return Array.from(text.matchAll(REFERENCE)).some(([, name]) => name !== undefined);
}
