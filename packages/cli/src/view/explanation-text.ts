import {
  formatCount,
  formatDuration,
  formatUsd,
  type PhaseExplanation,
  type PhaseVerdict,
  type PlanExplanation,
} from "@fanfold/core";
import { createPalette, type Palette, renderLine, type TextStyle } from "./text-style.ts";

const INDENT = "    ";
const VERDICTS: Readonly<Record<PhaseVerdict, string>> = {
  runs: "runs",
  conditional: "runs",
  left_out: "left out",
  blocked: "blocked",
  skipped: "skipped",
  fails: "fails",
};

/** An explanation of a plan for people: a head, then a few lines for each phase, in an order they could start in. */
export function renderExplanation(plan: PlanExplanation, style: TextStyle = {}): string {
  const palette = createPalette(style.color ?? false);
  const lines = headOf(plan).map((text) => renderLine([{ text }], style.columns));
  for (const phase of plan.phases) {
    lines.push(
      "",
      renderTitle(phase, palette, style),
      ...linesOf(phase).map((text) => renderDetail(text, palette, style)),
    );
  }
  return `${lines.join("\n")}\n`;
}

function headOf(plan: PlanExplanation): string[] {
  const { runs, conditional, left_out, blocked, skipped, fails } = plan.counts;
  const counts = [
    `${runs} of ${formatCount(plan.phases.length, "phase")} would run`,
    ...(conditional > 0 ? [`${conditional} on a condition`] : []),
    ...(left_out > 0 ? [`${left_out} left out`] : []),
    ...(blocked > 0 ? [`${blocked} blocked`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(fails > 0 ? [`${fails} ${fails === 1 ? "fails" : "fail"}`] : []),
  ];
  const caps = [
    plan.max_concurrency === null
      ? "no cap on shards at once"
      : `at most ${formatCount(plan.max_concurrency, "shard")} at once`,
    ...(plan.timeout_sec === null ? [] : [`timeout ${seconds(plan.timeout_sec)}`]),
    ...(plan.cost_budget_usd === null ? [] : [`budget ${formatUsd(plan.cost_budget_usd)}`]),
    `cancellation ${plan.cancellation}`,
  ];
  return [`${plan.plan_id} ${plan.version}: ${counts.join(", ")}`, caps.join(" · "), "Nothing was started."];
}

function renderTitle(phase: PhaseExplanation, palette: Palette, { columns }: TextStyle): string {
  const isPlain = phase.verdict === "runs";
  const verdict = `${VERDICTS[phase.verdict]}${phase.why === null ? "" : `: ${phase.why}`}`.replace(
    "runs: if",
    "runs if",
  );
  return renderLine(
    [
      { text: `${String(phase.level + 1).padStart(2)}  `, paint: palette.faint },
      { text: phase.phase, paint: palette.strong },
      { text: `  ${verdict}`, paint: isPlain ? palette.faint : palette.level("warn") },
    ],
    columns,
  );
}

function renderDetail(text: string, palette: Palette, { columns }: TextStyle): string {
  const [label = "", ...rest] = text.split(": ");
  return renderLine(
    [{ text: `${INDENT}${label.padEnd(10)}`, paint: palette.faint }, { text: rest.join(": ") }],
    columns,
  );
}

/** The details of a phase, each with a label before its first colon. */
function linesOf(phase: PhaseExplanation): string[] {
  const isTitled = phase.name !== phase.phase && phase.name !== phase.template;
  return [
    ...(isTitled ? [`title: ${phase.name}`] : []),
    `work: ${phase.work}`,
    ...(phase.depends_on.length > 0 ? [`after: ${phase.depends_on.map(dependency).join(", ")}`] : []),
    ...(phase.condition === null ? [] : [`condition: ${phase.condition}`]),
    ...(phase.approval === null ? executionOf(phase) : [`waits: ${waitOf(phase.approval)}`]),
    `failure: ${failureOf(phase).join(" · ")}`,
    ...(phase.consumes.length > 0 ? [`reads: ${phase.consumes.map(consumed).join(", ")}`] : []),
    `provides: ${phase.provides.join(", ")}`,
  ];
}

function executionOf(phase: PhaseExplanation): string[] {
  return [
    `shards: ${phase.shards.text}${phase.merge === "none" ? "" : `, merged as ${phase.merge}`}`,
    `limits: ${limitsOf(phase).join(" · ")}`,
  ];
}

function waitOf({ within_sec }: NonNullable<PhaseExplanation["approval"]>): string {
  return within_sec === null ? "for a person, without end" : `for a person, ${seconds(within_sec)} at most`;
}

function dependency({ phase, kind, when }: PhaseExplanation["depends_on"][number]): string {
  const marks = [...(kind === "soft" ? ["soft"] : []), ...(when === "success" ? [] : [when])];
  return marks.length === 0 ? phase : `${phase} (${marks.join(", ")})`;
}

function consumed({ name, sources }: PhaseExplanation["consumes"][number]): string {
  const [first] = sources;
  return `${name} of ${sources.length === 1 ? first?.phase : `${sources.length} instances`}`;
}

function limitsOf(phase: PhaseExplanation): string[] {
  const { pool, max_parallel, concurrency_key: key, priority, timeout_sec, lock } = phase;
  return [
    `pool ${pool}`,
    ...(max_parallel === null ? [] : [`at most ${max_parallel} at once`]),
    ...(key === null ? [] : [`at most ${key.limit} at once under key ${key.name}`]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    `timeout ${seconds(timeout_sec)}`,
    ...(lock === null
      ? []
      : [`lock ${lock.name}${lock.timeout_sec === null ? "" : `, waits ${seconds(lock.timeout_sec)}`}`]),
  ];
}

function failureOf({ retry, on_failure, critical, ...phase }: PhaseExplanation): string[] {
  const { max_failed_shards: tolerated, max_consecutive_failures: streak } = phase;
  const tolerance =
    tolerated.unit === "share" ? `${Number((tolerated.value * 100).toFixed(6))}%` : `${tolerated.value}`;
  const ends = on_failure === "abort" && critical ? "ends the run" : on_failure.replace("_", " ");
  return [
    ...(phase.approval === null ? [retriesOf(retry)] : []),
    `${ends}${critical ? "" : ", not critical"}`,
    ...(tolerated.value === 0 ? [] : [`tolerates ${tolerance} of its shards`]),
    ...(streak === null ? [] : [`stops after ${formatCount(streak, "failure")} in a row`]),
  ];
}

function retriesOf(retry: PhaseExplanation["retry"]): string {
  if (retry.retries === 0) return "no retries";
  return `${retry.retries} ${retry.retries === 1 ? "retry" : "retries"}, ${delayOf(retry)}`;
}

function delayOf({ delay_sec, backoff, max_delay_sec }: PhaseExplanation["retry"]): string {
  const first = seconds(delay_sec);
  return backoff === "fixed" ? `${first} apart` : `${first} apart, doubling up to ${seconds(max_delay_sec)}`;
}

function seconds(count: number): string {
  return formatDuration(count * 1000);
}
