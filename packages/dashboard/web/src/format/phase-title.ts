/** `translate[language=french]` as people say it: `translate french`. The same for a phase without a matrix. */
export function phaseTitle(phase: string): string {
  const [, name, coordinates] = /^([^[]+)\[(.*)\]$/.exec(phase) ?? [];
  if (name === undefined || coordinates === undefined) return phase;
  const values = coordinates.split(",").map((part) => part.slice(part.indexOf("=") + 1));
  return [name, ...values].join(" ");
}
