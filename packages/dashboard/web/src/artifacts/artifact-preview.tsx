import type { ArtifactRecord } from "@fanfold/schemas";
import { type ReactNode, useMemo, useState } from "react";
import { bytesText, countText } from "../format/format-text.ts";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { drawingUrl, indentJson, tableOf, TEXT_PREVIEW_BYTES } from "./preview-model.ts";
import { type Preview, usePreview } from "./use-preview.ts";

/** The beginning of an artifact as text, table or picture. Nothing in it is run, whatever it is. */
export function ArtifactPreview({ record }: { readonly record: ArtifactRecord }): ReactNode {
  const preview = usePreview(record);
  switch (preview.state) {
    case "loading":
      return <LoadingState label="Loading the artifact" />;
    case "failed":
      return <ErrorState error={preview.error} />;
    case "none":
      return (
        <EmptyState title="Nothing to show here">
          {preview.why} {record.size_bytes === 0 ? "" : "It can be downloaded."}
        </EmptyState>
      );
    case "picture":
      return <Picture url={preview.url} name={record.name} />;
    case "text":
      return <TextPreview preview={preview} record={record} />;
  }
}

type Text = Extract<Preview, { state: "text" }>;

function TextPreview({ preview, record }: { readonly preview: Text; readonly record: ArtifactRecord }): ReactNode {
  const { kind, text, isCut } = preview;
  const [isPlain, setIsPlain] = useState(false);
  const shownAs = isPlain ? "text" : kind;
  return (
    <>
      <p className="artifact-note">
        {kind === "text" ? null : (
          <button type="button" className="small" aria-pressed={isPlain} onClick={() => setIsPlain(!isPlain)}>
            As it is
          </button>
        )}
        {isCut ? (
          <span className="faint">
            The first {bytesText(TEXT_PREVIEW_BYTES)} of {bytesText(record.size_bytes)}
          </span>
        ) : null}
      </p>
      {shownAs === "drawing" ? <Picture url={drawingUrl(text)} name={record.name} /> : null}
      {shownAs === "records" ? <Records text={text} isCut={isCut} /> : null}
      {shownAs === "json" ? <PlainText text={indentJson(text)} /> : null}
      {shownAs === "text" ? <PlainText text={text} /> : null}
    </>
  );
}

function PlainText({ text }: { readonly text: string }): ReactNode {
  return (
    <pre className="artifact-text" tabIndex={0} aria-label="Preview">
      {text}
    </pre>
  );
}

function Picture({ url, name }: { readonly url: string; readonly name: string }): ReactNode {
  const [isBroken, setIsBroken] = useState(false);
  if (isBroken) return <EmptyState title="Not a picture">Its name says that it is one, its bytes do not.</EmptyState>;
  return <img className="artifact-image" src={url} alt={`Preview of ${name}`} onError={() => setIsBroken(true)} />;
}

function Records({ text, isCut }: { readonly text: string; readonly isCut: boolean }): ReactNode {
  const table = useMemo(() => tableOf(text, isCut), [text, isCut]);
  const hidden = table.hiddenColumns;
  return (
    <>
      <div className="artifact-table" tabIndex={0} role="group" aria-label="Records">
        <table>
          <thead>
            <tr>
              <th scope="col" className="faint">
                #
              </th>
              {table.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, index) => (
              <tr key={index}>
                <td className="faint">{index + 1}</td>
                {row.map((cell, column) => (
                  <td key={table.columns[column]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="faint">
        {table.isCut ? `The first ${countText(table.rows.length)} records.` : ""}
        {hidden > 0 ? ` ${countText(hidden)} more fields are left out.` : ""}
      </p>
    </>
  );
}
