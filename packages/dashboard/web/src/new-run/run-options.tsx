import type { ReactNode } from "react";
import type { RunDraft } from "./run-draft.ts";

interface OptionsProps {
  readonly draft: RunDraft;
  /** Phases that may be left out. */
  readonly phases: readonly string[];
  readonly onChange: (fields: Partial<RunDraft>) => void;
}

/** What rarely needs to be said of a run. */
export function RunOptions({ draft, phases, onChange }: OptionsProps): ReactNode {
  return (
    <details className="options">
      <summary>Options</summary>
      {phases.length < 2 ? null : (
        <LeftOut
          phases={phases}
          exclude={draft.exclude}
          onChange={(exclude) => onChange({ exclude: phases.filter((phase) => exclude.includes(phase)) })}
        />
      )}
      {draft.template === null ? (
        <label>
          Directory of the plan's scripts, in the workers' workspaces
          <input
            value={draft.baseDir}
            placeholder="."
            onChange={(event) => onChange({ baseDir: event.target.value })}
          />
        </label>
      ) : null}
      <label>
        Run id; giving the same again starts nothing new
        <input
          value={draft.runId}
          placeholder="made up"
          onChange={(event) => onChange({ runId: event.target.value })}
        />
      </label>
    </details>
  );
}

interface LeftOutProps {
  readonly phases: readonly string[];
  readonly exclude: readonly string[];
  readonly onChange: (exclude: readonly string[]) => void;
}

function LeftOut({ phases, exclude, onChange }: LeftOutProps): ReactNode {
  return (
    <fieldset className="left-out">
      <legend>Phases to leave out</legend>
      {phases.map((phase) => (
        <label key={phase} className="check">
          <input
            type="checkbox"
            checked={exclude.includes(phase)}
            onChange={({ target }) =>
              onChange(target.checked ? [...exclude, phase] : exclude.filter((one) => one !== phase))
            }
          />
          {phase}
        </label>
      ))}
    </fieldset>
  );
}
