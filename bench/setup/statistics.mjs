/**
 * Medians and spreads of a workload: the wall time of each side, its other figures, and the ratio to the baseline.
 * `met` says whether a target holds, by the medians.
 */
export function summarise(workload, samples) {
  const { id, title, baseline, must = {}, aim = {} } = workload;
  const sides = Object.fromEntries(Object.entries(samples).map(([name, results]) => [name, sideOf(results)]));
  const base = sides[baseline]?.ms?.median;
  const own = sides.fanfold;
  const ratio = base === undefined ? null : round(own.ms.median / base);
  const values = { ...own.figures, ...(own.ms && { ms: own.ms }), ...(ratio !== null && { ratio: { median: ratio } }) };
  const met = Object.fromEntries(
    Object.entries(must).flatMap(([name, limit]) =>
      values[name] === undefined ? [] : [[name, values[name].median <= limit]],
    ),
  );
  const notes = samples.fanfold.at(-1)?.notes;
  return { workload: id, title, baseline, ratio, must, aim, met, sides, ...(notes === undefined ? {} : { notes }) };
}

function sideOf(results) {
  const names = new Set(results.flatMap(({ figures = {} }) => Object.keys(figures)));
  const figures = [...names].map((name) => [name, spread(results.flatMap((result) => result.figures?.[name] ?? []))]);
  const times = results.flatMap(({ ms }) => ms ?? []);
  return { ...(times.length > 0 && { ms: spread(times) }), figures: Object.fromEntries(figures) };
}

/** Median, minimum and maximum. */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: round(percentile(sorted, 50)), min: round(sorted[0]), max: round(sorted.at(-1)) };
}

/** The value that `percent` of the sorted values do not exceed. */
function percentile(sorted, percent) {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/** p50 and p95 of times, as figures `<name>_p50_ms` and `<name>_p95_ms`. */
export function percentilesOf(name, times) {
  const sorted = times.toSorted((a, b) => a - b);
  return Object.fromEntries([50, 95].map((p) => [`${name}_p${p}_ms`, round(percentile(sorted, p))]));
}

/** Three digits that mean something. */
export function round(value) {
  if (!Number.isFinite(value) || value === 0) return value;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const factor = 10 ** Math.min(digits, 6);
  return Math.round(value * factor) / factor;
}
