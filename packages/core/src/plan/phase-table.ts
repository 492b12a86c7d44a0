import type { DeclaredPhase } from "./declared-phase.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PlanDraft } from "./plan-draft.ts";

/** The declared phases by id. Rows count the phases that could be read, in declaration order. */
export class PhaseTable {
  readonly phases: readonly DeclaredPhase[];
  readonly suggester: NameSuggester;
  readonly #rows = new Map<string, number>();

  /** Of phases that share an id the first one has it. */
  constructor(phases: readonly DeclaredPhase[]) {
    this.phases = phases;
    for (const [row, { id }] of phases.entries()) {
      if (id !== undefined && !this.#rows.has(id)) this.#rows.set(id, row);
    }
    this.suggester = new NameSuggester(this.#rows.keys());
  }

  /** Row of the phase with that id. */
  findRow(id: string): number | undefined {
    return this.#rows.get(id);
  }

  /** Id by which others can name the phase in a row; undefined when it has none, or an earlier phase has it. */
  findOwnId(row: number): string | undefined {
    const id = this.phases[row]?.id;
    return id !== undefined && this.#rows.get(id) === row ? id : undefined;
  }
}

/** Reports ids that are used twice. */
export function checkPhaseIds(table: PhaseTable, draft: PlanDraft): void {
  for (const [row, { id, index }] of table.phases.entries()) {
    const firstRow = id === undefined ? row : (table.findRow(id) ?? row);
    const first = table.phases[firstRow];
    if (firstRow === row || first === undefined || id === undefined) continue;
    draft.add({
      code: "DUPLICATE_PHASE",
      message: `phase id "${id}" is already taken by the phase at ${draft.describePlace(["phases", first.index, "id"])}`,
      path: ["phases", index, "id"],
    });
  }
}
