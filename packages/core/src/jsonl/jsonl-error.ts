/** What can be wrong with a line of JSONL, or with a JSON document. */
export type JsonlErrorCode = "TOO_LONG" | "INVALID_UTF8" | "INVALID_JSON" | "NOT_AN_OBJECT";

/** A text that is not the JSON it should be. Its message names the line and quotes the start of the bad text. */
export class JsonlError extends Error {
  override readonly name = "JsonlError";
  readonly code: JsonlErrorCode;
  /** Line of the stream, from 1. */
  readonly line: number;

  constructor(code: JsonlErrorCode, line: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.line = line;
  }
}
