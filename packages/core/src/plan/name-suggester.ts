import { distance } from "fastest-levenshtein";

/** Edits that may separate a typo from the name it was meant to be. */
const MAX_EDITS = 2;
/** Letters a name needs before its beginning alone says which one is meant. */
const MIN_PREFIX = 3;
/** Comparisons one suggester makes before it goes quiet: hints must not make a large, wrong plan slow. */
const MAX_COMPARISONS = 1_000_000;

interface Candidate {
  readonly name: string;
  readonly folded: string;
}

/** The known name that a misspelt one was probably meant to be. */
export function closestName(name: string, names: Iterable<string>): string | undefined {
  return new NameSuggester(names).closest(name);
}

/** Finds the known name that a misspelt one was probably meant to be. */
export class NameSuggester {
  readonly #candidates: readonly Candidate[];
  #comparisonsLeft = MAX_COMPARISONS;

  /** @param names known names; of two equally near ones the first is suggested */
  constructor(names: Iterable<string>) {
    this.#candidates = Array.from(names, (name) => ({ name, folded: fold(name) }));
  }

  /** Nearest known name: at most two edits away, or one is the beginning of the other. Case and separators are free. */
  closest(name: string): string | undefined {
    this.#comparisonsLeft -= this.#candidates.length;
    if (this.#comparisonsLeft < 0) return undefined;
    const folded = fold(name);
    let nearest: string | undefined;
    let nearestRank = Number.POSITIVE_INFINITY;
    for (const candidate of this.#candidates) {
      const rank = rankOf(folded, candidate.folded);
      if (rank >= nearestRank) continue;
      nearest = candidate.name;
      nearestRank = rank;
    }
    return nearest;
  }

  /** The suggestion as a hint; undefined when no name is near. */
  hint(name: string): string | undefined {
    const closest = this.closest(name);
    return closest === undefined ? undefined : `did you mean "${closest}"?`;
  }
}

/** Smaller is nearer; a shared beginning counts as further than any typo. */
function rankOf(name: string, candidate: string): number {
  const shorter = Math.min(name.length, candidate.length);
  const maxEdits = Math.min(MAX_EDITS, Math.floor(shorter / 2));
  if (Math.abs(name.length - candidate.length) <= maxEdits) {
    const edits = distance(name, candidate);
    if (edits <= maxEdits) return edits;
  }
  const isPrefix = shorter >= MIN_PREFIX && (name.startsWith(candidate) || candidate.startsWith(name));
  return isPrefix ? MAX_EDITS + 1 : Number.POSITIVE_INFINITY;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, "");
}
