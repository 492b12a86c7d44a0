import { type ReactNode, useState } from "react";

/** Copies a text, and says so for a moment. */
export function CopyButton({ text, label = "Copy" }: { readonly text: string; readonly label?: string }): ReactNode {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setIsCopied(true);
    setTimeout(() => setIsCopied(false), 1_500);
  };
  return (
    <button type="button" className="quiet small" title={text} onClick={() => void copy().catch(() => undefined)}>
      <span aria-live="polite">{isCopied ? "Copied" : label}</span>
    </button>
  );
}
