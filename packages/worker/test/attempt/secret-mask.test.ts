import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SecretMask } from "../../src/attempt/secret-mask.ts";

const SECRET = 'p"ss/w+rd é&x1';

function maskInPieces(mask: SecretMask, bytes: Buffer, cuts: readonly number[]): Buffer {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const stream = mask.stream();
  const pieces = ends.map((end, i) => stream.push(bytes.subarray(ends[i - 1] ?? 0, end)));
  return Buffer.concat([...pieces, stream.end()]);
}

describe("a secret is masked", () => {
  const mask = new SecretMask([SECRET]);
  const inBase64 = (text: string): string => Buffer.from(text).toString("base64");

  test.each([
    ["as it is", SECRET],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    ["in JSON of ASCII only", 'p\\"ss/w+rd \\u00e9&x1'],
    ["in a URL", encodeURIComponent(SECRET)],
    ["in a URL of lower case", encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())],
    ["in a form", "p%22ss%2Fw%2Brd+%C3%A9%26x1"],
  ])("%s", (_, form) => {
    expect(mask.text(`a ${form} b ${form}`)).toBe("a *** b ***");
  });

  test("in base64, alone and inside the base64 of a longer text", () => {
    expect(mask.text(`${inBase64(SECRET)}!`)).toMatch(/^\*\*\*=*!$/);
    const alone = inBase64(SECRET).replace(/=+$/, "");
    for (const user of ["", "u", "us", "use"]) {
      const masked = mask.text(inBase64(`${user}:${SECRET}:tail`));
      expect(masked).toContain("***");
      expect(masked).not.toContain(alone.slice(4, 12));
    }
  });

  test("in base64 that is wrapped into lines", () => {
    const long = Array.from({ length: 40 }, (_, i) => `part${i}`).join("-");
    const wrapped = inBase64(long).replace(/.{76}/g, "$&\n");
    expect(new SecretMask([long]).text(wrapped)).toMatch(/^(\*\*\*\n)+\*\*\*=*$/);
  });

  test("line by line when it has several, short lines apart", () => {
    const lines = new SecretMask(["first-line-of-it\r\nshort\n  last-line-of-it"]);
    expect(lines.text("> first-line-of-it\n> short\n> last-line-of-it")).toBe("> ***\n> short\n> ***");
    expect(lines.text("x first-line-of-it\r\nshort\n  last-line-of-it x")).toBe("x *** x");
  });

  test("where it overlaps another, as one", () => {
    const two = new SecretMask(["abcdef", "defghi", "defg"]);
    expect(two.text("-abcdefghi-defg-")).toBe("-***-***-");
    expect(two.text("abcdefabcdef")).toBe("***");
    expect(two.text("abcdeabcdef")).toBe("abcde***");
  });
});

describe("a masked stream", () => {
  const secret = fc.string({ unit: fc.constantFrom("a", "b", "é", "\n"), minLength: 4, maxLength: 30 });
  const noise = fc.string({ unit: fc.constantFrom("a", "b", "é", "\n", "x", "%", "Y"), maxLength: 12 });

  test("has the same bytes however it is cut, and none of the secrets", () => {
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        fc.array(noise, { maxLength: 8 }),
        fc.array(fc.nat(500), { maxLength: 12 }),
        (secrets, noises, cuts) => {
          const mask = new SecretMask(secrets);
          const text = noises.map((piece, i) => piece + (secrets[i % secrets.length] ?? "")).join("");
          const whole = mask.text(text);
          expect(maskInPieces(mask, Buffer.from(text), cuts).toString()).toBe(whole);
          for (const value of secrets) expect(whole).not.toContain(value);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("keeps bytes that are no text, and masks between them", () => {
    const mask = new SecretMask(["secret-1"]);
    const binary = Buffer.from([0xff, 0x00, 0xc3, 0x28, 0x80]);
    const stream = Buffer.concat([binary, Buffer.from("secret-1"), binary]);
    const masked = Buffer.concat([binary, Buffer.from("***"), binary]);
    fc.assert(
      fc.property(fc.array(fc.nat(100), { maxLength: 8 }), (cuts) => {
        expect(maskInPieces(mask, stream, cuts).equals(masked)).toBe(true);
      }),
    );
  });

  test("holds back only what may be the beginning of a secret", () => {
    const stream = new SecretMask(["secret-1", "second"]).stream();
    const push = (text: string): string => Buffer.from(stream.push(Buffer.from(text))).toString();
    expect(push("waiting")).toBe("waiting");
    expect(push(" for sec")).toBe(" for ");
    expect(push("o")).toBe("");
    expect(push("ur se")).toBe("secour ");
    expect(push("cret-")).toBe("");
    expect(push("1!")).toBe("***!");
    expect(push("s")).toBe("");
    expect(Buffer.from(stream.end()).toString()).toBe("s");
  });

  test("passes on a piece without secrets as it is, without a copy", () => {
    const chunk = Buffer.from("nothing to see\n");
    expect(new SecretMask(["secret-1"]).stream().push(chunk)).toBeInstanceOf(Buffer);
    expect(Buffer.from(new SecretMask(["secret-1"]).stream().push(chunk)).equals(chunk)).toBe(true);
  });
});
