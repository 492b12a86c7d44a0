import { randomUUID } from "node:crypto";
import type { Decision, UnspentBudget } from "@fanfold/core";
import type { DraftEvent, Effect, RunRecord } from "@fanfold/schemas";
import { shardId } from "./keys.ts";
import type { ScriptArgument } from "./scripts.ts";

/** What a decision is committed on. */
export interface CommitOn {
  readonly version: number;
  /** The decision is good only while the attempts have cost less than this. */
  readonly budget?: UnspentBudget | undefined;
}

/** Texts that a decision brings beside its records; empty where it brings none. */
export interface CommitTexts {
  readonly plan: string;
  readonly source: string;
  /** Fields of the run that follow from them. */
  readonly fields: Readonly<Record<string, string>>;
}

const NO_TEXTS: CommitTexts = { plan: "", source: "", fields: {} };

/** A decision as the scripts that commit it want it: ARGV of `lua/commit_decision.lua`. */
export function commitArguments(
  runId: string,
  { version, budget }: CommitOn,
  decision: Decision,
  { nowMs, texts = NO_TEXTS }: { nowMs: number; texts?: CommitTexts },
): ScriptArgument[] {
  const change = { ...changeOf(decision, texts.fields), token: randomUUID() };
  return [
    runId,
    version,
    nowMs,
    JSON.stringify(change),
    budget?.limitUsd ?? "",
    budget?.fromUsd ?? 0,
    texts.plan,
    texts.source,
  ];
}

/** Name an effect has in the outbox; one that is asked for twice is kept once. */
export function effectId(effect: Effect): string {
  if (effect.kind === "schedule_timeout" && effect.at_ms !== undefined) return `${effect.kind}.${effect.at_ms}`;
  if (effect.kind === "schedule_approval_timeout") {
    return `${effect.kind}.${effect.phase}.r${effect.revision}.${effect.at_ms}`;
  }
  if (effect.kind === "resume_spawner") return `${effect.kind}.${shardId(effect)}`;
  return "phase" in effect ? `${effect.kind}.${effect.phase}.r${effect.revision}` : effect.kind;
}

type EventTuple = readonly [string, string, string, string, string];

function eventTuple(event: DraftEvent): EventTuple {
  const { phase = "", shard = "", attempt = "", data } = event;
  return [event.event, phase, String(shard), String(attempt), data === undefined ? "" : JSON.stringify(data)];
}

function changeOf(decision: Decision, planFields: Readonly<Record<string, string>>): object {
  const { status } = decision.run;
  const over = status === "succeeded" || status === "failed" || status === "cancelled";
  return {
    run: { ...runFields(decision.run), ...planFields },
    revisions: Object.fromEntries([...decision.revisions].map(([id, record]) => [id, JSON.stringify(record)])),
    phases: Object.fromEntries([...decision.phases].map(([id, record]) => [id, JSON.stringify(record)])),
    events: decision.events.map(eventTuple),
    effects: Object.fromEntries(decision.effects.map((effect) => [effectId(effect), JSON.stringify(effect)])),
    discards: decision.effects.flatMap((effect) =>
      effect.kind === "discard_making" ? [[effect.phase, effect.revision]] : [],
    ),
    live: status === undefined ? -1 : over ? 0 : 1,
  };
}

/** Fields of the run hash: all text, null as the empty text, flags as 0 and 1. */
export function runFields(run: Partial<RunRecord>): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [field, value] of Object.entries(run)) {
    fields[field] = value === null ? "" : typeof value === "boolean" ? (value ? "1" : "0") : String(value);
  }
  return fields;
}
