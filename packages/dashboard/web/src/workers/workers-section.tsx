import type { WorkerDocument } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { countText, durationText } from "../format/format-text.ts";
import { EmptyState, ErrorState } from "../ui/states.tsx";
import { Link } from "../routing/navigation.tsx";
import { shardPath } from "../routing/route.ts";
import { DrainButton } from "./drain-button.tsx";

const POLL_MS = 2_000;

/** The workers that are connected; each can be asked to stop. */
export function WorkersSection(): ReactNode {
  const { data, error, reload } = useResource<readonly WorkerDocument[]>(apiPath(["workers"]), POLL_MS);
  return (
    <section aria-labelledby="workers">
      <h2 id="workers">Workers</h2>
      {error === undefined ? null : <ErrorState error={error} />}
      {data?.length === 0 ? (
        <EmptyState title="No worker is connected">
          <pre>fanfold worker</pre>
        </EmptyState>
      ) : null}
      {data === undefined || data.length === 0 ? null : (
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">Worker</th>
              <th scope="col">Pools</th>
              <th scope="col" className="wide-only">
                Address
              </th>
              <th scope="col">Load</th>
              <th scope="col">Works on</th>
              <th scope="col" className="wide-only">
                Connected for
              </th>
              <th scope="col">
                <span className="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data.map((worker, index) => (
              <tr key={`${worker.name} ${index}`}>
                <td className="mono">{worker.name}</td>
                <td>{worker.pools.join(", ")}</td>
                <td className="mono faint wide-only">{worker.address ?? ""}</td>
                <td>
                  <Load worker={worker} />
                </td>
                <td>
                  <CurrentShards worker={worker} />
                </td>
                <td className="wide-only">{durationText(worker.age_sec * 1_000)}</td>
                <td className="row-actions">
                  <DrainButton worker={worker} onDone={reload} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** How much of what it can do at once a worker does. */
function Load({ worker: { active, concurrency, slots, pools } }: { readonly worker: WorkerDocument }): ReactNode {
  if (concurrency === null || slots === null) return <span className="faint">not said</span>;
  const share = slots === 0 ? 0 : Math.min(1, active / slots);
  const text = `${countText(active)} of ${countText(slots)}`;
  return (
    <span className="load" title={`${countText(concurrency)} at once${pools.length > 1 ? ", of each pool" : ""}`}>
      <span className="load-bar" aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </span>
      {text}
    </span>
  );
}

const MAX_NAMED = 4;

/** The first of the shards a worker is at. */
function CurrentShards({ worker: { active, shards } }: { readonly worker: WorkerDocument }): ReactNode {
  if (active === 0) return <span className="faint">nothing</span>;
  const named = shards.slice(0, MAX_NAMED);
  return (
    <>
      {named.map(({ run_id: runId, phase, shard }, index) => (
        <span key={`${runId} ${phase} ${shard}`}>
          {index === 0 ? "" : ", "}
          <Link to={shardPath(runId, phase, shard)}>
            {phase}[{shard}]
          </Link>
        </span>
      ))}
      {active > named.length ? ", …" : ""}
    </>
  );
}
