import type { RevisionDiff } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { useResource } from "../api/use-resource.ts";
import { countText } from "../format/format-text.ts";
import { ErrorState, LoadingState } from "../ui/states.tsx";

type Records = NonNullable<RevisionDiff["records"]>;
type Json = Records["added"]["first"][number]["record"];

/** How two revisions differ, artifact by artifact. */
export function DiffView({ path }: { readonly path: string }): ReactNode {
  const { data, error, isLoading } = useResource<readonly RevisionDiff[]>(path);
  if (error !== undefined) return <ErrorState error={error} />;
  if (data === undefined || isLoading) return <LoadingState label="Comparing" lines={3} />;
  return (
    <div className="diffs">
      {data.map((diff) => (
        <ArtifactDiff key={diff.name} diff={diff} isOnly={data.length === 1} />
      ))}
    </div>
  );
}

function ArtifactDiff({ diff, isOnly }: { readonly diff: RevisionDiff; readonly isOnly: boolean }): ReactNode {
  const { name, is_same: isSame, records, patch, remark } = diff;
  return (
    <article>
      {isOnly ? null : <h4>{name}</h4>}
      {isSame ? <p>The outputs are the same.</p> : null}
      {records === null ? null : <RecordDiffs records={records} />}
      {patch === null ? null : <Patch text={patch} />}
      {remark === null ? null : <p>{remark}</p>}
    </article>
  );
}

function RecordDiffs({ records }: { readonly records: Records }): ReactNode {
  const { added, removed, changed, unchanged } = records;
  return (
    <>
      <p className="diff-counts">
        <span className="diff-added">{countText(added.count)} added</span>,{" "}
        <span className="diff-removed">{countText(removed.count)} removed</span>, {countText(changed.count)} changed,{" "}
        <span className="faint">{countText(unchanged)} the same</span>
      </p>
      <ul className="diff-records">
        {changed.first.map(({ key, before, after, fields }) => (
          <li key={`~ ${key}`}>
            <p>
              ~ <code>{key}</code>
            </p>
            {(fields.length === 0 ? [null] : fields).map((field) => (
              <div key={field}>
                <p className="diff-removed">− {fieldText(before, field)}</p>
                <p className="diff-added">+ {fieldText(after, field)}</p>
              </div>
            ))}
          </li>
        ))}
        {removed.first.map(({ key, record }) => (
          <li key={`- ${key}`} className="diff-removed">
            − {JSON.stringify(record)}
          </li>
        ))}
        {added.first.map(({ key, record }) => (
          <li key={`+ ${key}`} className="diff-added">
            + {JSON.stringify(record)}
          </li>
        ))}
      </ul>
      <MoreText hidden={[added, removed, changed].reduce((sum, one) => sum + one.count - one.first.length, 0)} />
    </>
  );
}

function MoreText({ hidden }: { readonly hidden: number }): ReactNode {
  return hidden === 0 ? null : <p className="faint">… and {countText(hidden)} more</p>;
}

/** A field of a record with its value, or the record itself. */
function fieldText(record: Json, field: string | null): string {
  if (field === null) return JSON.stringify(record);
  const isObject = typeof record === "object" && record !== null && !Array.isArray(record);
  const value = isObject ? record[field] : undefined;
  return `${field}: ${value === undefined ? "(absent)" : JSON.stringify(value)}`;
}

/** A unified diff, without the two lines that name its files. */
function Patch({ text }: { readonly text: string }): ReactNode {
  const lines = text
    .split("\n")
    .filter((line) => !/^(?:=+|--- |\+\+\+ )/.test(line))
    .filter((line, index, all) => line !== "" || index < all.length - 1);
  return (
    <pre className="patch" tabIndex={0} aria-label="Difference, line by line">
      {lines.map((line, index) => (
        <span key={index} className={line.startsWith("+") ? "diff-added" : line.startsWith("-") ? "diff-removed" : ""}>
          {line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
