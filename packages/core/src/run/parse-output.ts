/** Value of an output as conditions see it: JSON where it is JSON, a list of records where it is JSONL, text otherwise. */
export function parseOutput(text: string): unknown {
  const whole = tryParse(text);
  if (whole !== undefined) return whole;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const records = lines.map(tryParse);
  return lines.length > 0 && records.every((record) => record !== undefined) ? records : text;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
