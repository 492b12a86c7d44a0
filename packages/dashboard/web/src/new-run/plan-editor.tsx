import type { ChangeEvent, DragEvent, ReactNode, RefObject } from "react";

interface EditorProps {
  readonly text: string;
  readonly editor: RefObject<HTMLTextAreaElement | null>;
  /** @param fileName name of the file the text is from; empty for one that is typed or pasted */
  readonly onText: (text: string, fileName: string) => void;
}

/** A plan that is written out: typed, pasted, or taken from a file. */
export function PlanEditor({ text, editor, onText }: EditorProps): ReactNode {
  const take = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) onText(await file.text(), file.name);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    void take(event.dataTransfer.files[0]);
  };
  return (
    <div className="plan-editor">
      <label className="button">
        Take from a file
        <input
          type="file"
          className="unseen"
          accept=".yaml,.yml,.json"
          onChange={(event: ChangeEvent<HTMLInputElement>) => void take(event.target.files?.[0])}
        />
      </label>
      <textarea
        ref={editor}
        aria-label="Plan, YAML or JSON"
        placeholder={'plan_id: hello\nversion: "1"\nphases:\n  - id: greet\n    command: echo\n    args: [hello]'}
        spellCheck={false}
        value={text}
        onChange={(event) => onText(event.target.value, "")}
        onDragOver={(event) => event.preventDefault()}
        onDrop={drop}
      />
    </div>
  );
}

/** Puts the caret at a place of the text; both count from 1. */
export function goTo(editor: HTMLTextAreaElement | null, line: number, column: number): void {
  if (editor === null) return;
  const lines = editor.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const at = start + Math.max(0, column - 1);
  editor.focus();
  editor.setSelectionRange(at, Math.max(at, start + (lines[line - 1]?.length ?? 0)));
}
