import { type ReactNode, type RefObject, useEffect, useState } from "react";
import { useSearch } from "../routing/navigation.tsx";
import { StatusIcon, statusWord } from "../ui/status-icon.tsx";
import { isNarrowed, RUN_STATUSES, type RunsFilter, TIMES } from "./runs-filter.ts";

interface FacetsProps {
  readonly filter: RunsFilter;
  /** Plans and tags to offer: those that were seen. */
  readonly plans: readonly string[];
  readonly tags: readonly string[];
  readonly searchRef: RefObject<HTMLInputElement | null>;
}

/** Narrows the list; all of it is in the address. */
export function RunsFacets({ filter, plans, tags, searchRef }: FacetsProps): ReactNode {
  const [, change] = useSearch();
  return (
    <div className="facets" role="search" aria-label="Narrow the list of runs">
      <SearchBox value={filter.text} inputRef={searchRef} onChange={(text) => change({ q: text })} />
      <div className="chips" role="group" aria-label="Status">
        {RUN_STATUSES.map((status) => (
          <button
            key={status}
            type="button"
            className="chip"
            aria-pressed={filter.status.includes(status)}
            onClick={() => change({ status: toggled(filter.status, status).join(",") })}
          >
            <StatusIcon status={status} />
            {statusWord(status)}
          </button>
        ))}
      </div>
      <Choice label="Plan" value={filter.plan} values={plans} onChange={(plan) => change({ plan })} />
      {tags.length === 0 && filter.tag === "" ? null : (
        <Choice label="Tag" value={filter.tag} values={tags} onChange={(tag) => change({ tag })} />
      )}
      <Choice label="Time" value={filter.time} values={Object.keys(TIMES)} onChange={(time) => change({ time })} />
      {isNarrowed(filter) ? (
        <button
          type="button"
          className="quiet"
          onClick={() => change({ q: null, status: null, plan: null, tag: null, time: null })}
        >
          Clear
        </button>
      ) : null}
    </div>
  );
}

interface SearchBoxProps {
  readonly value: string;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  readonly onChange: (text: string) => void;
}

const TYPING_MS = 250;

/** A search field that waits until somebody stops typing. */
function SearchBox({ value, inputRef, onChange }: SearchBoxProps): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <input
      ref={inputRef}
      type="search"
      className="search-box"
      aria-label="Search runs by id, plan, tag or problem"
      aria-keyshortcuts="/"
      placeholder="Search id, plan, tag, problem ( / )"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onChange: (value: string) => void;
}

function Choice({ label, value, values, onChange }: ChoiceProps): ReactNode {
  const offered = value === "" || values.includes(value) ? values : [value, ...values];
  return (
    <label className="choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">any</option>
        {offered.map((item) => (
          <option key={item} value={item}>
            {item}
          </option>
        ))}
      </select>
    </label>
  );
}

function toggled(values: readonly string[], value: string): readonly string[] {
  return values.includes(value) ? values.filter((item) => item !== value) : [...values, value];
}
