import type { CapDocument } from "@fanfold/core";
import type { ReactNode } from "react";
import { countText, durationText } from "../format/format-text.ts";
import { Link } from "../routing/navigation.tsx";
import { shardPath } from "../routing/route.ts";

const MAX_HOLDERS = 12;

/** Every cap: its limit, who fills it, how much waits. */
export function CapsTable({
  caps,
  nowMs,
}: {
  readonly caps: readonly CapDocument[];
  readonly nowMs: number;
}): ReactNode {
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th scope="col">Cap</th>
          <th scope="col">In use</th>
          <th scope="col">Waiting</th>
          <th scope="col">Held by</th>
        </tr>
      </thead>
      <tbody>
        {caps.map((cap) => (
          <tr key={`${cap.kind} ${cap.name}`}>
            <td>
              <span className="tag">{cap.kind}</span> <span className="cap-name">{cap.name}</span>
            </td>
            <td className={cap.limit !== null && cap.in_use >= cap.limit ? "is-full" : ""}>
              {countText(cap.in_use)}
              {cap.limit === null ? "" : ` of ${countText(cap.limit)}`}
              {cap.rate === null ? null : (
                <span className="faint">
                  {" "}
                  · {countText(cap.rate.max)} in {durationText(cap.rate.duration_ms)}
                </span>
              )}
            </td>
            <td>{countText(cap.waiting)}</td>
            <td>
              <Holders holders={cap.holders} nowMs={nowMs} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Holders({ holders, nowMs }: { readonly holders: CapDocument["holders"]; readonly nowMs: number }): ReactNode {
  if (holders.length === 0) return <span className="faint">nobody</span>;
  return (
    <ul className="holders">
      {holders.slice(0, MAX_HOLDERS).map(({ run_id: runId, phase, shard, worker, since_ms: sinceMs }) => (
        <li key={`${runId} ${phase} ${shard}`}>
          <Link to={shardPath(runId, phase, shard)}>
            {phase}[{shard}]
          </Link>{" "}
          <span className="faint">
            {worker === null ? "queued" : `on ${worker}`}
            {sinceMs === null ? "" : `, ${durationText(nowMs - sinceMs)}`}
          </span>
        </li>
      ))}
      {holders.length > MAX_HOLDERS ? <li className="faint">and {holders.length - MAX_HOLDERS} more</li> : null}
    </ul>
  );
}
