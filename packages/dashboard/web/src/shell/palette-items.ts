import type { RunList } from "@fanfold/schemas";
import { useMemo } from "react";
import { apiPath } from "../api/client.ts";
import type { RunDetail } from "../api/shapes.ts";
import { useResource } from "../api/use-resource.ts";
import { navigate, usePlace } from "../routing/navigation.tsx";
import { readRoute, runPath } from "../routing/route.ts";

/** One thing the palette can do. */
export interface PaletteItem {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly act: () => void;
}

const MAX_ITEMS = 30;

/** What the palette offers for a text: pages, phases of the run at hand, runs; at most 30. */
export function usePaletteItems(text: string): readonly PaletteItem[] {
  const { path } = usePlace();
  const route = readRoute(path);
  const runId = "runId" in route ? route.runId : null;
  const { data: found } = useResource<RunList>(apiPath(["runs"], { q: text.trim(), limit: 12 }));
  const { data: run } = useResource<RunDetail>(runId === null ? null : apiPath(["runs", runId]));
  return useMemo(() => {
    const isMatch = ({ title, hint }: PaletteItem): boolean =>
      `${title} ${hint}`.toLowerCase().includes(text.trim().toLowerCase());
    const items = [...pageItems(), ...phaseItems(run)].filter(isMatch);
    return [...items, ...runItems(found)].slice(0, MAX_ITEMS);
  }, [text, found, run]);
}

function pageItems(): PaletteItem[] {
  return [
    { id: "page-runs", title: "Runs", hint: "page", act: () => navigate("/") },
    { id: "page-workers", title: "Workers and caps", hint: "page", act: () => navigate("/workers") },
    { id: "page-templates", title: "Templates", hint: "page", act: () => navigate("/templates") },
    { id: "page-new", title: "Start a new run", hint: "page", act: () => navigate("/new") },
  ];
}

function phaseItems(run: RunDetail | undefined): PaletteItem[] {
  return (run?.phases ?? []).map(({ phase, status }) => ({
    id: `phase-${phase}`,
    title: phase,
    hint: `phase, ${status}`,
    act: () => navigate(`${runPath(run?.run_id ?? "")}?view=phases&phase=${encodeURIComponent(phase)}`),
  }));
}

function runItems(page: RunList | undefined): PaletteItem[] {
  return (page?.runs ?? []).map(({ run_id: runId, plan_id: planId, status }) => ({
    id: `run-${runId}`,
    title: `${planId} ${runId}`,
    hint: `run, ${status}`,
    act: () => navigate(runPath(runId)),
  }));
}
