/** Fewest characters of a line of a secret, and of a piece of its base64, that are looked for by themselves. */
const MIN_PART_CHARS = 8;
/** Line lengths at which common tools wrap base64. */
const BASE64_WRAPS = [64, 76];

/**
 * The texts under which a secret shows in output: its value and each longer line of it, as they are and as JSON,
 * URLs and base64 write them.
 */
export function secretForms(value: string): string[] {
  const lines = value.split(/\r\n|\n|\r/).map((line) => line.trim());
  const parts = new Set([value, ...lines.filter((line) => line.length >= MIN_PART_CHARS)]);
  return [
    ...new Set([...parts].flatMap((part) => [part, ...jsonForms(part), ...urlForms(part), ...base64Forms(part)])),
  ];
}

/** The text inside a JSON string, also as serialisers write it that keep to ASCII. */
export function jsonForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return [json, json.replace(/[\u0080-\uffff]/g, escapeUtf16)];
}

function escapeUtf16(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function urlForms(text: string): string[] {
  const encoded = encodeURIComponent(text);
  const form = new URLSearchParams([["", text]]).toString().slice(1);
  return [encoded, form, ...[encoded, form].map((url) => url.replace(/%../g, (code) => code.toLowerCase()))];
}

/** The whole in base64, the lines of it when it is wrapped, and what stands for it inside the base64 of a longer text. */
function base64Forms(text: string): string[] {
  const whole = toBase64(text, 0).replace(/=+$/, "");
  const wrapped = BASE64_WRAPS.flatMap((chars) => cut(whole, chars));
  const inner = [0, 1, 2].map((shift) => innerBase64(text, shift));
  const parts = [...wrapped, ...inner].filter((part) => part.length >= MIN_PART_CHARS);
  return [whole, ...parts].flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

/** The characters of base64 that hold nothing but bits of the text, when `shift` bytes (modulo 3) stand before it. */
function innerBase64(text: string, shift: number): string {
  const endBit = (shift + Buffer.byteLength(text)) * 8;
  return toBase64(text, shift).slice(Math.ceil((shift * 8) / 6), Math.floor(endBit / 6));
}

function toBase64(text: string, shift: number): string {
  return Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).toString("base64");
}

function cut(text: string, chars: number): string[] {
  return Array.from({ length: Math.ceil(text.length / chars) }, (_, i) => text.slice(i * chars, (i + 1) * chars));
}
