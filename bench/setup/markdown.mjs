const HEAD = ["id", "work", "side or figure", "median", "min–max", "ratio", "must", "aim"];
/** Ends of the names of figures, and the units they stand for. */
const UNITS = { ms: "ms", us: "µs", s: "s", mb: "MB", bytes: "bytes", percent: "%", per_sec: "/s", mb_per_sec: "MB/s" };

/** Head of the table in docs/performance.md. */
export const markdownHead = [HEAD, HEAD.map(() => "---")].map(rowOf).join("\n");

/** Rows of one workload: a row for each side, then one for each further figure of each side, then the last remarks. */
export function markdownRows({ workload, title, baseline, ratio, must, aim, met, sides, notes = {} }) {
  const times = Object.entries(sides).flatMap(([name, { ms }]) => {
    if (ms === undefined) return [];
    if (name !== "fanfold") return [[name, ...shown("ms", ms), "", "", ""]];
    const target = (limits) => (limits.ratio === undefined ? limitText("ms", limits) : limitText("ratio", limits));
    const compared = ratio === null ? "" : `${ratio} of ${baseline}`;
    return [[name, ...shown("ms", ms), compared, target(must) + missed(met.ratio ?? met.ms), target(aim)]];
  });
  const figures = Object.entries(sides).flatMap(([name, side]) =>
    Object.entries(side.figures).map(([figure, values]) => {
      const own = name === "fanfold";
      const label = [own ? "" : name, nameOf(figure)].filter((part) => part !== "").join(": ");
      const targets = own ? [limitText(figure, must) + missed(met[figure]), limitText(figure, aim)] : ["", ""];
      return [label, ...shown(figure, values), "", ...targets];
    }),
  );
  const remarks = Object.entries(notes).map(([name, value]) => [nameOf(name), plain(value), "", "", "", ""]);
  return [...times, ...figures, ...remarks]
    .map((row, i) => rowOf(i === 0 ? [workload, title, ...row] : ["", "", ...row]))
    .join("\n");
}

/** `{ hget: 2, set: 1 }` → `hget 2, set 1` */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain).join("; ");
  if (typeof value !== "object" || value === null) return String(value);
  const isNamed = typeof value.name === "string";
  return isNamed
    ? Object.values(value).join(" ")
    : Object.entries(value)
        .map(([name, part]) => `${name} ${part}`)
        .join(", ");
}

function shown(figure, { median, min, max }) {
  return [withUnit(figure, median), min === max ? "" : `${min}–${max}`];
}

function limitText(figure, limits) {
  return limits[figure] === undefined
    ? ""
    : `≤ ${figure === "ratio" ? limits.ratio : withUnit(figure, limits[figure])}`;
}

function missed(isMet) {
  return isMet === false ? " **missed**" : "";
}

function unitOf(figure) {
  const ends = Object.keys(UNITS).toSorted((a, b) => b.length - a.length);
  return ends.find((end) => figure === end || figure.endsWith(`_${end}`));
}

function withUnit(figure, value) {
  const unit = unitOf(figure);
  return unit === undefined ? `${value}` : `${value} ${UNITS[unit]}`;
}

function nameOf(figure) {
  const unit = unitOf(figure);
  return (unit === undefined ? figure : figure.slice(0, -unit.length - 1)).replaceAll("_", " ");
}

function rowOf(cells) {
  return `| ${cells.join(" | ")} |`;
}
