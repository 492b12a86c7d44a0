import { findApprovalFaults } from "./check-approval.ts";
import { findItemFaults } from "./check-items.ts";
import { findMergeFaults } from "./check-merge.ts";
import { readShare } from "./compile-phase.ts";
import { findRepeatFaults } from "./check-repeat.ts";
import type { DeclaredPhase, DeclaredShard } from "./declared-phase.ts";
import { quote } from "./describe-value.ts";
import { escapesWorkspace } from "./escapes-workspace.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanPath, PlanProblemCode } from "./plan-problem.ts";

type Strategy = NonNullable<DeclaredShard["strategy"]>;

interface StrategyRule {
  readonly needs: readonly string[];
  readonly takes: readonly string[];
}

const BY_GROUPS: StrategyRule = { needs: ["over"], takes: ["batch_size", "grouping"] };

const STRATEGY_RULES: Readonly<Record<Strategy, StrategyRule>> = {
  full: { needs: [], takes: [] },
  chunk: { needs: ["over", "chunk_size"], takes: [] },
  scene: BY_GROUPS,
  route: BY_GROUPS,
  group: { needs: ["over", "group_by"], takes: BY_GROUPS.takes },
};

const STRATEGY_FIELDS = ["chunk_size", "batch_size", "group_by", "grouping"] as const;

/** Reports fields of one phase that contradict each other. */
export function checkPhase(phase: DeclaredPhase, draft: PlanDraft, baseDir: string): void {
  new PhaseCheck(phase, draft, baseDir).run();
}

class PhaseCheck {
  readonly #phase: DeclaredPhase;
  readonly #draft: PlanDraft;
  readonly #baseDir: string;

  constructor(phase: DeclaredPhase, draft: PlanDraft, baseDir: string) {
    this.#phase = phase;
    this.#draft = draft;
    this.#baseDir = baseDir;
  }

  run(): void {
    const { shard, merge, cwd, handler } = this.#phase;
    const misplaced = [...findApprovalFaults(this.#phase)];
    for (const { code, field, message } of misplaced) this.#add(code, [field], message);
    // what does not belong there need not be right
    if (this.#phase.keys.written.has("approval")) return;
    this.#checkWork();
    if (shard !== undefined) this.#checkShard(shard);
    for (const { code, field, message } of findItemFaults(this.#phase)) this.#add(code, field, message);
    if (merge !== undefined) {
      for (const { code, field, message } of findMergeFaults(merge, this.#phase)) {
        this.#add(code, field === undefined ? ["merge"] : ["merge", field], message);
      }
      this.#checkPath(["merge", "handler"], merge.handler);
    }
    this.#checkPath(["cwd"], cwd);
    this.#checkPath(["handler"], handler);
    this.#checkCollect();
    this.#checkRetries();
    this.#checkRetryStrategy();
    for (const { code, field, message } of findRepeatFaults(this.#phase)) this.#add(code, [field], message);
    this.#checkTolerance();
  }

  #checkWork(): void {
    const { written, meant } = this.#phase.keys;
    if (written.has("command") && written.has("handler")) {
      this.#add("CONFLICTING_WORK", ["handler"], "a phase has either a command or a handler, not both");
    } else if (meant.has("handler")) {
      for (const field of ["args", "shell", "limits"]) {
        if (written.has(field))
          this.#add("MISPLACED_FIELD", [field], `${field} belongs to a command, not to a handler`);
      }
    } else if (!["command", "plan", "approval"].some((kind) => meant.has(kind))) {
      this.#add("MISSING_WORK", [], "a phase needs a command, a handler or an approval");
    }
  }

  #checkShard({ strategy, keys: { written, meant } }: DeclaredShard): void {
    if (strategy === undefined) return;
    const { needs, takes } = STRATEGY_RULES[strategy];
    for (const field of needs) {
      if (!meant.has(field)) this.#add("MISSING_KEY", ["shard"], `shard strategy ${strategy} needs ${field}`);
    }
    for (const field of STRATEGY_FIELDS) {
      if (!written.has(field) || needs.includes(field) || takes.includes(field)) continue;
      this.#add("MISPLACED_FIELD", ["shard", field], `${field} does not belong to shard strategy ${strategy}`);
    }
  }

  #checkCollect(): void {
    const { collected, isFinalLine, keys } = this.#phase;
    for (const { pattern, path } of collected) {
      if (!escapesWorkspace(pattern, ".") && !pattern.split("/").includes("..")) continue;
      const message = `collect.files ${quote(pattern)} leaves the working directory; set cwd to where the files are`;
      this.#add("PATH_ESCAPES", ["collect", ...path], message);
    }
    if (isFinalLine && keys.written.has("handler")) {
      this.#add("MISPLACED_FIELD", ["collect"], "collect: stdout_final belongs to a command, not to a handler");
    }
  }

  #checkRetries(): void {
    const { retried, neverRetried } = this.#phase;
    const both = retried.filter((code) => neverRetried.includes(code));
    if (both.length === 0) return;
    const message = `exit code ${both.join(", ")} is both in retry_on_exit_codes and in non_retryable_exit_codes`;
    this.#add("INVALID_VALUE", ["non_retryable_exit_codes"], message);
  }

  #checkRetryStrategy(): void {
    const { retryStrategy, keys } = this.#phase;
    if (retryStrategy === undefined) return;
    const { includesContext } = retryStrategy;
    if (!keys.meant.has("prompt")) {
      this.#add("MISSING_KEY", ["retry_strategy"], "retry_strategy needs prompt, which it adds to");
    } else if (retryStrategy.keys.written.has("context_instruction") && !includesContext) {
      const message = "context_instruction needs include_context: true";
      this.#add("MISSING_KEY", ["retry_strategy", "context_instruction"], message);
    }
  }

  #checkTolerance(): void {
    const { tolerance } = this.#phase;
    if (tolerance === undefined || readShare(tolerance) <= 1) return;
    this.#add("OUT_OF_RANGE", ["max_failed_shards"], `max_failed_shards must be at most 100%, not ${tolerance}`);
  }

  #checkPath(field: readonly string[], path: string | undefined): void {
    if (path === undefined || !escapesWorkspace(path, this.#baseDir)) return;
    const message = `${field.join(".")} ${quote(path)} leaves the workspace; use a path inside of it, relative to the plan`;
    this.#add("PATH_ESCAPES", field, message);
  }

  #add(code: PlanProblemCode, field: PlanPath, message: string): void {
    const path = ["phases", this.#phase.index, ...field];
    const at = code === "MISPLACED_FIELD" || code === "CONFLICTING_WORK" ? "key" : "value";
    this.#draft.add({ code, message: `${this.#draft.prefix(path)}${message}`, path, at });
  }
}
