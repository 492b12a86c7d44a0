import type { Decision } from "@fanfold/core";
import {
  type CompiledPlan,
  CompiledPlanSchema,
  type Effect,
  EffectSchema,
  type PhaseRecord,
  PhaseRecordSchema,
  type PlanSource,
  PlanSourceSchema,
  type RunRecord,
  RunRecordSchema,
} from "@fanfold/schemas";
import { type CommitOn, commitArguments, effectId, runFields } from "./decision-change.ts";
import { type Keys, type PhaseRef, phaseRevisionId } from "./keys.ts";
import type { PlanSigner, PlanTrust } from "./plan-signer.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { Script, strings } from "./scripts.ts";
import { StoreError } from "./store-error.ts";

const CREATE_RUN = new Script("create_run");
const COMMIT_DECISION = new Script("commit_decision");
const LOAD_CHANGES = new Script("load_changes");

/** Most phases whose changes are read one by one: of more the whole run is read. */
const MAX_CHANGES = 1_000;

/** What has changed of a run since a version of it. */
export interface RunChanges {
  readonly run: RunRecord;
  readonly phases: ReadonlyMap<string, PhaseRecord>;
}

/** A plan as it is stored, and whether it is what was signed. */
export interface StoredPlan {
  readonly plan: CompiledPlan;
  readonly trust: PlanTrust;
  /** Whether it has a signature, be it a good one or not. */
  readonly hasSignature: boolean;
}

/** What a decision was made on, and the plan it brings. */
export interface CommitBasis extends CommitOn {
  readonly plan?: CompiledPlan | undefined;
  /** What that plan was compiled from; that of the run's first plan stays when absent. */
  readonly source?: PlanSource | undefined;
  /** `plan_revision` of the run before the decision; matters where there is a plan. */
  readonly planRevision?: number;
}

/** Result of {@link RunStore.commit}: the new version; or somebody else was first; or what is to be discarded is at work. */
export type CommitResult =
  | { readonly kind: "committed"; readonly version: number }
  | { readonly kind: "conflict" }
  | { readonly kind: "busy" };

/** The records of runs and phases. Every change is one atomic script. */
export class RunStore {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #signer: PlanSigner | undefined;

  /** @param signer signs new plans and checks stored ones, where the deployment has a key */
  constructor(redis: RedisClient, keys: Keys, signer?: PlanSigner) {
    this.#redis = redis;
    this.#keys = keys;
    this.#signer = signer;
  }

  /**
   * Stores a new run with its plan, signed where there is a key, and emits `run_queued`.
   *
   * @param source what the plan was compiled from, as far as it is known
   * @returns whether it is new; a run of this id that exists is left as it is
   * @throws {StoreError} RUN_REMOVING while one of this id is being removed
   */
  async create(run: RunRecord, plan: CompiledPlan, source?: PlanSource): Promise<boolean> {
    const keys = this.#keys.run(run.run_id);
    const text = JSON.stringify(plan);
    const sourceText = source === undefined ? "" : JSON.stringify(source);
    const fields = {
      ...runFields(run),
      max_concurrency: String(plan.max_concurrency ?? ""),
      signature: this.#signer?.sign(run.run_id, text) ?? "",
      source_signature: this.#signer?.sign(run.run_id, sourceText) ?? "",
    };
    const queued = {
      plan_id: plan.plan_id,
      plan_version: plan.version,
      phase_count: plan.phases.length,
      actor: run.submitted_by,
    };
    const created = await CREATE_RUN.run(
      this.#redis,
      [keys.run, keys.plan, keys.journal, this.#keys.runs, this.#keys.liveRuns, keys.source],
      [run.run_id, text, run.created_at_ms, JSON.stringify(fields), JSON.stringify(queued), sourceText],
    );
    if (created === -1) {
      throw new StoreError("RUN_REMOVING", `run ${run.run_id} is just being removed; submit it again when it is gone`);
    }
    return created === 1;
  }

  /** The run's record, or undefined when there is none. */
  async find(runId: string): Promise<RunRecord | undefined> {
    const fields = await this.#redis.hgetall(this.#keys.run(runId).run);
    return fields.run_id === undefined ? undefined : parseRun(fields);
  }

  /** The edition of a run, see {@link runEdition}. Undefined when there is no such run, or it is being removed. */
  async findEdition(runId: string): Promise<string | undefined> {
    const [createdAtMs, planRevision, turn, removing] = await this.#redis.hmget(
      this.#keys.run(runId).run,
      "created_at_ms",
      "plan_revision",
      "turn",
      "removing",
    );
    if (typeof createdAtMs !== "string" || removing !== null) return undefined;
    return runEdition({
      created_at_ms: Number(createdAtMs),
      plan_revision: Number(planRevision ?? 0),
      turn: Number(turn ?? 0),
    });
  }

  /** @throws {StoreError} RUN_NOT_FOUND */
  async get(runId: string): Promise<RunRecord> {
    const run = await this.find(runId);
    if (run === undefined) throw runNotFound(runId);
    return run;
  }

  /** The snapshot of the plan. @throws {StoreError} RUN_NOT_FOUND */
  async loadPlan(runId: string): Promise<StoredPlan> {
    const keys = this.#keys.run(runId);
    const [text, signature] = await Promise.all([this.#redis.get(keys.plan), this.#redis.hget(keys.run, "signature")]);
    if (text === null) throw runNotFound(runId);
    const trust = this.#signer?.check(runId, text, signature) ?? "unchecked";
    const hasSignature = signature !== null && signature !== "";
    return { plan: CompiledPlanSchema.parse(JSON.parse(text)), trust, hasSignature };
  }

  /**
   * What the plan of a run was compiled from; undefined where that was not stored.
   *
   * @throws {StoreError} PLAN_ALTERED when this process has a key, and it is not what was signed
   */
  async findSource(runId: string): Promise<PlanSource | undefined> {
    const keys = this.#keys.run(runId);
    const [text, signature] = await Promise.all([
      this.#redis.get(keys.source),
      this.#redis.hget(keys.run, "source_signature"),
    ]);
    if (text === null) return undefined;
    const trust = this.#signer?.check(runId, text, signature) ?? "unchecked";
    if (trust === "altered" || trust === "unsigned") {
      throw new StoreError(
        "PLAN_ALTERED",
        `the stored plan of run ${runId} is not what was signed; give it: --plan FILE`,
      );
    }
    return PlanSourceSchema.parse(JSON.parse(text));
  }

  /** Records of the phases that have left `pending` at least once. */
  async loadPhases(runId: string): Promise<Map<string, PhaseRecord>> {
    const fields = await this.#redis.hgetall(this.#keys.run(runId).phases);
    return new Map(Object.entries(fields).map(([id, text]) => [id, PhaseRecordSchema.parse(JSON.parse(text))]));
  }

  /**
   * What has changed of a run since a version of it.
   *
   * @returns `same` when nothing has; undefined when the whole run has to be read instead, or there is none
   */
  async findChanges(runId: string, version: number): Promise<RunChanges | "same" | undefined> {
    const keys = this.#keys.run(runId);
    const reply = await LOAD_CHANGES.run(this.#redis, [keys.run, keys.phases, keys.changed], [version, MAX_CHANGES]);
    const [fields, ids, records] = Array.isArray(reply) ? reply : [];
    if (fields === "same") return "same";
    if (fields === undefined) return undefined;
    const texts = strings(records);
    const phases = strings(ids).map((id, i) => [id, PhaseRecordSchema.parse(JSON.parse(texts[i] ?? ""))] as const);
    return { run: parseRun(fieldsOf(strings(fields))), phases: new Map(phases) };
  }

  /** Records of earlier accepted revisions of the run's phases, by `<phase>.r<revision>`. The latest ones are not among them. */
  async loadRevisions(runId: string): Promise<Map<string, PhaseRecord>> {
    const fields = await this.#redis.hgetall(this.#keys.run(runId).revisions);
    return new Map(Object.entries(fields).map(([id, text]) => [id, PhaseRecordSchema.parse(JSON.parse(text))]));
  }

  /** The record of an earlier accepted revision of a phase. */
  async findRevision(runId: string, { phase, revision }: PhaseRef): Promise<PhaseRecord | undefined> {
    const text = await this.#redis.hget(this.#keys.run(runId).revisions, phaseRevisionId(phase, revision));
    return text === null ? undefined : PhaseRecordSchema.parse(JSON.parse(text));
  }

  /** Records of some phases; one that has never left `pending` is not among them. */
  async findPhases(runId: string, ids: readonly string[]): Promise<Map<string, PhaseRecord>> {
    if (ids.length === 0) return new Map();
    const texts = await this.#redis.hmget(this.#keys.run(runId).phases, ...ids);
    return new Map(
      ids.flatMap((id, i) => {
        const text = texts[i] ?? null;
        return text === null ? [] : [[id, PhaseRecordSchema.parse(JSON.parse(text))] as const];
      }),
    );
  }

  /**
   * Commits a decision made on the given version: records, events and effects together or not at all.
   *
   * @param basis.budget the decision is good only while the attempts have cost less than this
   * @param basis.plan plan that takes the place of the run's own, signed where there is a key
   */
  async commit(runId: string, basis: CommitBasis, decision: Decision, nowMs: number): Promise<CommitResult> {
    const { version, budget, plan, source } = basis;
    const keys = this.#keys.run(runId);
    const planText = plan === undefined ? "" : JSON.stringify(plan);
    const sourceText = source === undefined ? "" : JSON.stringify(source);
    const result = await COMMIT_DECISION.run(
      this.#redis,
      [
        keys.run,
        keys.phases,
        keys.journal,
        keys.outbox,
        this.#keys.liveRuns,
        keys.plan,
        keys.revisions,
        keys.ledger,
        keys.open,
        keys.folds,
        keys.source,
        keys.changed,
      ],
      commitArguments(runId, { version, budget }, decision, {
        nowMs,
        texts: {
          plan: planText,
          source: sourceText,
          fields: this.#planFields(runId, basis, { planText, sourceText }),
        },
      }),
    );
    return commitResult(runId, Number(result));
  }

  #planFields(
    runId: string,
    { plan, planRevision = 0 }: CommitBasis,
    { planText, sourceText }: { planText: string; sourceText: string },
  ): Record<string, string> {
    if (plan === undefined) return {};
    return {
      plan_version: plan.version,
      plan_revision: String(planRevision + 1),
      max_concurrency: String(plan.max_concurrency ?? ""),
      signature: this.#signer?.sign(runId, planText) ?? "",
      ...(sourceText === "" ? {} : { source_signature: this.#signer?.sign(runId, sourceText) ?? "" }),
    };
  }

  /** Effects that were committed and not yet acknowledged. */
  async listOutbox(runId: string): Promise<Effect[]> {
    const fields = await this.#redis.hgetall(this.#keys.run(runId).outbox);
    return Object.values(fields).map((text) => EffectSchema.parse(JSON.parse(text)));
  }

  /** Acknowledges an effect that was carried out. */
  async ackEffect(runId: string, effect: Effect): Promise<void> {
    await this.#redis.hdel(this.#keys.run(runId).outbox, effectId(effect));
  }

  /** Ids of the runs that are not over. */
  listLive(): Promise<string[]> {
    return this.#redis.smembers(this.#keys.liveRuns);
  }

  /** Latest runs first. */
  async list({ limit }: { limit: number }): Promise<RunRecord[]> {
    const ids = await this.#redis.zrevrange(this.#keys.runs, 0, limit - 1);
    const runs = await Promise.all(ids.map((id) => this.find(id)));
    return runs.filter((run) => run !== undefined);
  }

  /** What the attempts of a run have cost so far, in USD, as far as it is known. */
  async findCost(runId: string): Promise<number> {
    return Number((await this.#redis.hget(this.#keys.run(runId).run, "cost_usd")) ?? 0);
  }

  /**
   * Whether the run was stopped, and how: what a worker asks again and again. `recalled` are the phase revisions and
   * shard ids that were cancelled by hand.
   */
  async findStop(runId: string): Promise<{ stopped: boolean; kills: boolean; recalled: string[] }> {
    const keys = this.#keys.run(runId);
    const [[stop, kills], recalled] = await Promise.all([
      this.#redis.hmget(keys.run, "stop", "stop_kills"),
      this.#redis.smembers(keys.recalled),
    ]);
    return { stopped: typeof stop === "string" && stop !== "", kills: kills === "1", recalled };
  }
}

/**
 * What is kept in memory of a run is good for one edition of it: it tells a run from an earlier one of the same id, and
 * changes with its plan and with each rerun.
 */
export function runEdition({
  created_at_ms,
  plan_revision,
  turn,
}: Pick<RunRecord, "created_at_ms" | "plan_revision" | "turn">): string {
  return `${created_at_ms}.${plan_revision}.${turn}`;
}

/** What the number means that a script gives which commits a decision. @throws {StoreError} RUN_NOT_FOUND */
export function commitResult(runId: string, result: number): CommitResult {
  if (result === -2) throw runNotFound(runId);
  if (result === -1) return { kind: "conflict" };
  if (result === -3) return { kind: "busy" };
  return { kind: "committed", version: result };
}

function runNotFound(runId: string): StoreError {
  return new StoreError("RUN_NOT_FOUND", `there is no run ${runId}; \`fanfold ls\` lists the runs`);
}

/** A hash as Redis gives it to scripts: names and values in turn. */
function fieldsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] ?? ""] = flat[i + 1] ?? "";
  return fields;
}

function parseRun(fields: Record<string, string>): RunRecord {
  const number = (name: string): number | null => (fields[name] ? Number(fields[name]) : null);
  const text = (name: string): string | null => fields[name] || null;
  const optional = (...names: string[]): Record<string, number> =>
    Object.fromEntries(names.flatMap((name) => (fields[name] ? [[name, Number(fields[name])]] : [])));
  return RunRecordSchema.parse({
    run_id: fields.run_id,
    plan_id: fields.plan_id,
    plan_version: fields.plan_version,
    status: fields.status,
    version: number("version"),
    stop: text("stop"),
    stop_phase: text("stop_phase"),
    ...(fields.stop_actor ? { stop_actor: fields.stop_actor } : {}),
    stop_kills: fields.stop_kills === "1",
    cascades: fields.cascades === "1",
    paused: fields.paused === "1",
    tolerated_failures: number("tolerated_failures"),
    plan_revision: number("plan_revision") ?? 0,
    turn: number("turn") ?? 0,
    ...(fields.submitted_by ? { submitted_by: fields.submitted_by } : {}),
    ...optional("cost_usd", "budget_from_usd", "timeout_at_ms", "waiting_approvals"),
    created_at_ms: number("created_at_ms"),
    started_at_ms: number("started_at_ms"),
    finished_at_ms: number("finished_at_ms"),
  });
}
