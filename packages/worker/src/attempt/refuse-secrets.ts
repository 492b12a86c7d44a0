import { createReadStream } from "node:fs";
import { AttemptError } from "./attempt-error.ts";
import type { AttemptArtifact, AttemptOutput } from "./attempt-spec.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import { jsonForms } from "./secret-forms.ts";

/** A text to look for, and the name of the secret it tells. */
interface SecretText {
  readonly name: string;
  readonly text: Buffer;
}

/**
 * Checks that what an attempt hands over tells none of its secrets, as they are or as JSON writes them. Stdout as the
 * output is masked already.
 *
 * @throws {AttemptError} `SECRET_IN_OUTPUT`
 */
export async function refuseSecrets(
  { spec, files, secrets }: RunningAttempt,
  output: AttemptOutput,
  artifacts: readonly AttemptArtifact[],
): Promise<void> {
  if (secrets.size === 0) return;
  const texts = secretTexts(secrets);
  const outputName = spec.phase.provides[0] ?? spec.phase.id;
  for (const { name, ...content } of [{ name: outputName, ...output }, ...artifacts]) {
    if ("file" in content && content.file === files.stdout) continue;
    const found = await findText("file" in content ? createReadStream(content.file) : [content.bytes], texts);
    if (found !== undefined) throw secretInOutput(found.name, name);
  }
}

function secretTexts(secrets: ReadonlyMap<string, string>): SecretText[] {
  return [...secrets].flatMap(([name, value]) =>
    [...new Set([value, ...jsonForms(value)])].map((text) => ({ name, text: Buffer.from(text) })),
  );
}

/** First of the texts that is found in the stream, in bounded memory. */
async function findText(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  texts: readonly SecretText[],
): Promise<SecretText | undefined> {
  const overlap = Math.max(...texts.map(({ text }) => text.length)) - 1;
  let end: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const piece = Buffer.concat([end, chunk]);
    const found = texts.find(({ text }) => piece.includes(text));
    if (found !== undefined) return found;
    end = piece.subarray(-overlap);
  }
  return undefined;
}

function secretInOutput(secret: string, artifact: string): AttemptError {
  return new AttemptError("SECRET_IN_OUTPUT", `artifact "${artifact}" contains the value of secret ${secret}`, {
    next_action: "keep secrets out of outputs: they are stored, and handed to other phases",
  });
}
