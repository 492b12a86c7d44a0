import type { ReactNode } from "react";
import { apiPath } from "../api/client.ts";
import { useResource } from "../api/use-resource.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { ErrorState, LoadingState } from "../ui/states.tsx";
import { useRunScope } from "./run-context.tsx";

/** What a phase was declared as, with every default filled in. */
export function DefinitionView({ phase }: { readonly phase: string }): ReactNode {
  const { run } = useRunScope();
  const { data, error } = useResource<{ phases: readonly { id: string }[] }>(apiPath(["runs", run.run_id, "plan"]));
  if (error !== undefined) return <ErrorState error={error} />;
  if (data === undefined) return <LoadingState label="Loading the plan" />;
  const text = JSON.stringify(data.phases.find(({ id }) => id === phase) ?? null, null, 2);
  return (
    <div className="definition">
      <CopyButton text={text} />
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}
