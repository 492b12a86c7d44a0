import type { ReactNode } from "react";
import { countText } from "../format/format-text.ts";
import type { TemplateChoice } from "../new-run/template-list.ts";
import { Link } from "../routing/navigation.tsx";
import { templatePath } from "../routing/route.ts";

interface TemplateCardProps {
  readonly choice: TemplateChoice;
  readonly isChosen: boolean;
}

/** A template in the list: a way to its details. */
export function TemplateCard({ choice: { latest, versions }, isChosen }: TemplateCardProps): ReactNode {
  const { name, description, is_built_in: isBuiltIn } = latest;
  return (
    <li className={isChosen ? "template chosen" : "template"}>
      <Link
        to={templatePath(name)}
        className="template-link"
        {...(isChosen ? { "aria-current": "true" as const } : {})}
      >
        <span className="template-title">
          <strong>{name}</strong>
          <span className="tag">{latest.version}</span>
          {isBuiltIn ? <span className="tag">built in</span> : null}
          {versions.length === 1 ? null : (
            <span className="faint push template-count">{countText(versions.length)} versions</span>
          )}
        </span>
        {description === "" ? null : <span className="faint">{description}</span>}
      </Link>
    </li>
  );
}
