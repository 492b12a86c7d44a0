import { eachItem, recordsIfAny } from "./contract.mjs";

/** What the stand-in for an editor can mend. */
const REMEDIES = {
  too_long: (text) => text.replace(/(.{30,60}[,.!?:]) /u, "$1 / "),
  three_dots: (text) => text.replaceAll("...", "…"),
};

/**
 * Mends what qa found in the lines of the shard. Without qa there is nothing to mend, and every line goes on as it is.
 *
 * @type {import("fanfold").Handler<{ line_id: string, text: string }>}
 */
export default async function edit(ctx) {
  const reports = await recordsIfAny(ctx, "findings");
  const findings = new Map(reports.map((report) => [report.line_id, report.findings]));
  return eachItem(ctx, (line) => {
    const found = findings.get(line.line_id) ?? [];
    const text = found.reduce((result, finding) => REMEDIES[finding]?.(result) ?? result, line.text);
    return { ...line, text, is_edited: text !== line.text };
  });
}
