import type { CapDocument } from "@fanfold/core";
import type { PoolDocument } from "@fanfold/schemas";
import type { ReactNode } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { countText } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { EmptyState, ErrorState, LoadingState } from "../ui/states.tsx";
import { CapsTable } from "./caps-table.tsx";
import { WorkersSection } from "./workers-section.tsx";
import "./workers.css";

const POLL_MS = 2_000;

/** Who works, what waits for whom, and what limits it. */
export function WorkersPage(): ReactNode {
  return (
    <div className="page">
      <div className="page-head">
        <h1>Workers and caps</h1>
      </div>
      <PoolsSection />
      <WorkersSection />
      <CapsSection />
    </div>
  );
}

function PoolsSection(): ReactNode {
  const { data, error } = useResource<readonly PoolDocument[]>(apiPath(["pools"]), POLL_MS);
  return (
    <section aria-labelledby="pools">
      <h2 id="pools">Pools</h2>
      {error === undefined ? null : <ErrorState error={error} />}
      {data === undefined && error === undefined ? <LoadingState label="Loading the pools" lines={2} /> : null}
      {data?.length === 0 ? <EmptyState title="No pools yet" /> : null}
      <ul className="pools">
        {(data ?? []).map((pool) => (
          <PoolCard key={pool.pool} pool={pool} />
        ))}
      </ul>
    </section>
  );
}

function PoolCard({ pool }: { readonly pool: PoolDocument }): ReactNode {
  const isWithout = pool.workers === 0;
  const isStuck = isWithout && pool.waiting + pool.delayed > 0;
  return (
    <li className={`card pool ${isWithout ? "pool-without" : ""}`}>
      <p className="pool-name">
        <strong>{pool.pool}</strong>
        <span className={isWithout ? "problem-text" : "faint"}>
          {isWithout ? "⚠ no workers" : `${pool.workers} ${pool.workers === 1 ? "worker" : "workers"}`}
        </span>
      </p>
      {isStuck ? (
        <p className="problem-text">
          {countText(pool.waiting + pool.delayed)} shards wait for a worker:{" "}
          <code>fanfold worker --pool {pool.pool}</code>
        </p>
      ) : null}
      <dl className="figures">
        {(["waiting", "active", "delayed", "failed"] as const).map((name) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{countText(pool[name])}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

function CapsSection(): ReactNode {
  const { data, error } = useResource<readonly CapDocument[]>(apiPath(["caps"]), POLL_MS);
  const nowMs = useNow(true);
  return (
    <section aria-labelledby="caps">
      <h2 id="caps">Caps</h2>
      {error === undefined ? null : <ErrorState error={error} />}
      {data?.length === 0 ? <EmptyState title="Nothing is limited" /> : null}
      {data === undefined || data.length === 0 ? null : <CapsTable caps={data} nowMs={nowMs} />}
    </section>
  );
}
