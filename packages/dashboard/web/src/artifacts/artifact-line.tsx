import type { ArtifactRecord } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { bytesText, wordsOf } from "../format/format-text.ts";

interface ArtifactLineProps {
  readonly row: ArtifactRecord;
  /** Where the row stands in the scrolled area. */
  readonly topPx: number;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

/** An artifact as a row of two lines: what it is, and where it comes from. */
export function ArtifactLine({ row, topPx, isChosen, onChoose }: ArtifactLineProps): ReactNode {
  return (
    <li
      className={`artifact-row ${isChosen ? "is-selected" : ""}`}
      style={{ transform: `translateY(${topPx}px)` }}
      onClick={onChoose}
    >
      <span className="artifact-name">
        <button type="button" className="link cut" title={row.name} onClick={onChoose}>
          {row.name}
        </button>
        <TypeTag row={row} />
      </span>
      <span className="artifact-size">{bytesText(row.size_bytes)}</span>
      <span className="faint cut" title={placeText(row)}>
        {placeText(row)}
      </span>
      <span className="mono faint artifact-sha" title={`sha256 ${row.sha256}`}>
        {row.sha256.slice(0, 10)}
      </span>
    </li>
  );
}

/** The type of an artifact, with its format where that is known. */
export function TypeTag({ row: { type, format } }: { readonly row: ArtifactRecord }): ReactNode {
  return (
    <span className={`tag type-${type}`}>
      {wordsOf(type)}
      {format === null || format === type ? "" : ` · ${format}`}
    </span>
  );
}

/** Where an artifact comes from: `translate[3] · revision 2 · attempt 1`. */
export function placeText({ phase, revision, shard, attempt }: ArtifactRecord): string {
  const parts = [
    shard === null ? phase : `${phase}[${shard}]`,
    `revision ${revision}`,
    attempt !== null ? `attempt ${attempt}` : shard === null ? "merged" : "reused",
  ];
  return parts.join(" · ");
}
