/** Median, minimum and maximum of the wall times, and each side's ratio to the workload's baseline. */
export function summarise({ id, title, baseline, must, aim }, samples) {
  const sides = Object.fromEntries(
    Object.entries(samples).map(([name, results]) => [name, spread(results.map(({ ms }) => ms))]),
  );
  const base = sides[baseline]?.median_ms;
  const ratio = base === undefined ? null : round(sides.fanfold.median_ms / base);
  const notes =
    Object.values(samples.fanfold.at(-1)?.notes ?? {}).length > 0 ? samples.fanfold.at(-1).notes : undefined;
  return { workload: id, title, baseline, ratio, must, aim, sides, ...(notes === undefined ? {} : { notes }) };
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median_ms: round(sorted[Math.floor(sorted.length / 2)]),
    min_ms: round(sorted[0]),
    max_ms: round(sorted.at(-1)),
  };
}

function round(value) {
  return Math.round(value * 1_000) / 1_000;
}

/** A table for docs/performance.md. */
export function toMarkdown(summaries) {
  const rows = summaries.flatMap(({ workload, title, baseline, ratio, must, sides }) =>
    Object.entries(sides).map(([name, { median_ms, min_ms, max_ms }]) => [
      name === "fanfold" ? workload : "",
      name === "fanfold" ? title : "",
      name,
      `${median_ms} ms`,
      `${min_ms}–${max_ms}`,
      name === "fanfold" && ratio !== null ? `${ratio} of ${baseline}` : "",
      name === "fanfold" ? (must ?? "") : "",
    ]),
  );
  const head = ["id", "work", "side", "median", "min–max", "ratio", "must"];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
