import { type ReactNode, useState } from "react";
import type { RunDraft } from "./run-draft.ts";

/** Number of phases from which on there is a field to name them instead of a box for each. */
const MANY = 120;

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
      <LeftOut phases={phases} exclude={draft.exclude} onChange={(exclude) => onChange({ exclude })} />
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

/** A box for each phase, and for what was left out of a plan that has no such phase any more. */
function LeftOut({ phases, exclude, onChange }: LeftOutProps): ReactNode {
  const names = [...phases, ...exclude.filter((phase) => !phases.includes(phase))];
  if (names.length < 2 && exclude.length === 0) return null;
  if (names.length > MANY) return <LeftOutAsText exclude={exclude} onChange={onChange} />;
  return (
    <fieldset className="left-out">
      <legend>Phases to leave out</legend>
      {names.map((phase) => (
        <label key={phase} className="check">
          <input
            type="checkbox"
            checked={exclude.includes(phase)}
            onChange={({ target }) =>
              onChange(names.filter((one) => (one === phase ? target.checked : exclude.includes(one))))
            }
          />
          {phase}
        </label>
      ))}
    </fieldset>
  );
}

function LeftOutAsText({ exclude, onChange }: Omit<LeftOutProps, "phases">): ReactNode {
  const [text, setText] = useState(exclude.join(", "));
  const change = (typed: string): void => {
    setText(typed);
    onChange(typed.split(/[\s,]+/).filter((phase) => phase !== ""));
  };
  return (
    <label>
      Phases to leave out, with commas between them
      <input value={text} spellCheck={false} onChange={({ target }) => change(target.value)} />
    </label>
  );
}
