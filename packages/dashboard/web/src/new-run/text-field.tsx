import type { KeyboardEvent, ReactNode, TextareaHTMLAttributes } from "react";
import { rowsOf } from "./text-rows.ts";

interface TextFieldProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "onChange"> {
  readonly value: string;
  readonly placeholder: string;
  readonly onText: (text: string) => void;
}

/**
 * A field for a value that may have several lines; it grows with its text. In a text of one line Enter does nothing, as
 * in any field: Shift+Enter, or pasted text, brings the second line.
 */
export function TextField({ value, placeholder, onText, ...rest }: TextFieldProps): ReactNode {
  const hasLines = value.includes("\n") || (value === "" && placeholder.includes("\n"));
  const hold = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !hasLines) event.preventDefault();
  };
  return (
    <textarea
      {...rest}
      className="text-field"
      rows={rowsOf(value === "" ? placeholder : value)}
      value={value}
      placeholder={placeholder}
      onKeyDown={hold}
      onChange={(event) => onText(event.target.value)}
    />
  );
}
