import { plainText } from "./plain-text.ts";

/** HTML that may stand in a page as it is: only {@link html} makes it. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What can be put into a template: text is escaped, markup is not, nothing is nothing. */
export type HtmlValue = string | number | Markup | readonly HtmlValue[] | null | undefined | false;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/**
 * Template whose values are escaped, so that no text from outside can become markup: neither between tags nor in a
 * quoted attribute. Control characters and those that turn the direction of text are taken out.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Markup {
  return new Markup(parts.map((part, index) => part + toHtml(values[index])).join(""));
}

function toHtml(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Markup) return value.toString();
  if (typeof value === "object") return value.map(toHtml).join("");
  return plainText(String(value)).replaceAll(/[&<>"'`]/g, (character) => ENTITIES[character] ?? "");
}
