import { randomBytes, randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CredentialStream, redactCredentials, redactLogText } from "../../src/attempt/redact-credentials.ts";

/** Looks like the real thing, and is assembled here so that no scanner takes this file for a leak. */
const chars = (count: number, alphabet = "Ab3dEf7hIj"): string => alphabet.repeat(count).slice(0, count);
const pem = (label: string, lineCount = 12): string =>
  [
    `-----BEGIN ${label}PRIVATE KEY-----`,
    ...Array.from({ length: lineCount }, () => chars(64, "MIIEvQ+/")),
    "ab12==",
    `-----END ${label}PRIVATE KEY-----`,
  ].join("\n");

const CREDENTIALS: Record<string, string> = {
  "an access key of AWS": `AKIA${chars(16, "ABCD2345")}`,
  "a temporary access key of AWS": `ASIA${chars(16, "ABCD2345")}`,
  "a classic token of GitHub": `ghp_${chars(36)}`,
  "an OAuth token of GitHub": `gho_${chars(36)}`,
  "a fine-grained token of GitHub": `github_pat_${chars(22)}_${chars(59)}`,
  "a bot token of Slack": `xoxb-123456789012-123456789012-${chars(24)}`,
  "a user token of Slack": `xoxp-1234-${chars(24)}`,
  "an API key": `sk-${chars(48)}`,
  "an API key with a project": `sk-proj-${chars(30)}_${chars(20)}-x`,
  "an API key of lower case": `sk-or-v1-${chars(64, "0a1b2c3d")}`,
  "a private key": pem(""),
  "a private key of a kind": pem("RSA "),
  "a private key inside JSON": pem("EC ").replaceAll("\n", "\\n"),
  "an encrypted private key": pem("RSA ").replace(
    "-----\n",
    "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n",
  ),
};

const FIELDS: Record<string, [text: string, redacted: string]> = {
  "a header": ["> Authorization: Bearer abc.DEF-123_x", "> Authorization: Bearer ***"],
  "a header in lower case": ["authorization: bearer abcdefgh12\r\n", "authorization: bearer ***\r\n"],
  "a header inside JSON": ['{"Authorization": "Bearer abcdefgh12"}', '{"Authorization": "Bearer ***"}'],
  "basic authentication": ["Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"],
  "a URL": ["clone https://me:hunter2@example.com/x.git now", "clone https://me:***@example.com/x.git now"],
  "a URL without a user": ["redis://:hunter2@db:6379/0", "redis://:***@db:6379/0"],
  "a URL with @ in its password": ["postgres://me:p@ss@db/x", "postgres://me:***@db/x"],
};

const NAMED: Record<string, [text: string, redacted: string]> = {
  "a password": ["password=hunter2 next", "password=*** next"],
  "a password at the end of a line": ["password: correcthorse\nnext", "password: ***\nnext"],
  "a password at the end": ["Passphrase: correcthorse", "Passphrase: ***"],
  "a variable": ["PGPASSWORD=secretive\n", "PGPASSWORD=***\n"],
  "a quoted password": ['db_password="correct horse" x', 'db_password="***" x'],
  "a password in JSON": ['{"password": "a b", "user": "me"}', '{"password": "***", "user": "me"}'],
  "a password in JSON in a string": ['"{\\"password\\": \\"abc\\"}"', '"{\\"password\\": \\"***\\"}"'],
  "a token": ["token: 0123abcdef, rest", "token: ***, rest"],
  "a token in a URL": ["GET /x?access_token=0123abcdef&page=2", "GET /x?access_token=***&page=2"],
  "a key": ["api_key=ab12cd34ef", "api_key=***"],
  "a header of a key": ["X-Api-Key: ab12cd34ef\r\n", "X-Api-Key: ***\r\n"],
  "a secret key": ["aws_secret_access_key = ab12cd34/ef+56", "aws_secret_access_key = ***"],
  "a key in camel case": ["accessToken: 'ab12cd34ef'", "accessToken: '***'"],
  "a header with another scheme": ["Authorization: ApiKey ab12cd34ef56", "Authorization: ApiKey ***"],
  "a header without a scheme": ["authorization: ab12cd34ef56gh", "authorization: ***"],
};

const HARMLESS: Record<string, string> = {
  "prose about passwords":
    "password: must have at least one capital; Password: \nno password, password= \npassword == other",
  "prose about tokens":
    "Unexpected token: identifier at 1; token=4096; max_token: 100; tokens: 123456789; token_count=123456789",
  "prose about secrets": "secret: santa claus; no secret; key: value123456; monkey=12345678; the key=abcdefgh1",
  "records with tokens": '{"token": "Haus", "pos": "NN"}\n{"token":"Straße","secret":null}',
  "a working directory": "PWD=/home/me/work1 OLDPWD=/",
  "a file of passwords": "cat: /etc/passwd: Permission denied",
  "a sha256": chars(64, "0123456789abcdef"),
  "a UUID": randomUUID(),
  "a UUID behind a language": `sk-${randomUUID()}`,
  "a name behind a language": "sk-translation-internationalization-chapter-01-scene-02",
  "base64 data": randomBytes(6000).toString("base64"),
  "base64url data": randomBytes(6000).toString("base64url"),
  "URLs without a password": "http://localhost:8080/a?b=c@d git@github.com:a/b.git https://me@example.com:443/x",
  "a short word behind a prefix": "task-1 sk-short ghp_abc AKIA xoxb- akiaabcdabcdabcdabcd",
  "prose about headers": "send an Authorization: Bearer token; Authorization: none",
  "prose about keys": "no -----BEGIN PRIVATE KEY was found, expected -----BEGIN",
  "a certificate": pem("").replaceAll("PRIVATE KEY", "CERTIFICATE"),
  "a token inside a longer word": `base_ghp_${chars(36)}`,
};

/** The stream's output for a text that comes in pieces; each piece but the last ends behind a given character. */
function redactInPieces(text: string, cuts: readonly number[]): string {
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const stream = new CredentialStream();
  const pieces = ends.map((end, i) => stream.push(bytes.subarray(ends[i - 1] ?? 0, end)));
  return Buffer.concat([...pieces, stream.end()]).toString();
}

describe("redaction", () => {
  test.each(Object.entries(CREDENTIALS))("masks %s", (_, credential) => {
    expect(redactCredentials(credential)).toBe("***");
    expect(redactCredentials(`key=${credential}\nnext`)).toBe("key=***\nnext");
    expect(redactCredentials(`["${credential}", "${credential}"]`)).toBe('["***", "***"]');
  });

  test.each(Object.entries(FIELDS))("masks the credential in %s", (_, [text, redacted]) => {
    expect(redactCredentials(text)).toBe(redacted);
    expect(redactCredentials(redacted)).toBe(redacted);
  });

  test.each(Object.entries(NAMED))("masks in logs what its name calls a credential: %s", (_, [text, redacted]) => {
    expect(redactLogText(text)).toBe(redacted);
    expect(redactLogText(redacted)).toBe(redacted);
    expect(redactCredentials(text)).toBe(text);
  });

  test.each(Object.entries(HARMLESS))("leaves %s alone", (_, text) => {
    expect(redactLogText(text)).toBe(text);
    expect(redactCredentials(text)).toBe(text);
    expect(redactInPieces(text, [1, 17, 40])).toBe(text);
  });

  test("masks a private key that is cut off as far as it goes, and nothing behind it", () => {
    const cutOff = pem("").split("\n").slice(0, 5).join("\n");
    expect(redactCredentials(`${cutOff}\nand then prose`)).toBe("***\nand then prose");
    expect(redactCredentials("-----BEGIN PRIVATE KEY----- is how a key begins")).toBe("*** is how a key begins");
  });
});

describe("redaction of a stream", () => {
  const piece = fc.oneof(
    fc.constantFrom(...Object.values(CREDENTIALS), ...Object.values(FIELDS).map(([text]) => text)),
    fc.constantFrom(...Object.values(NAMED).map(([text]) => text)),
    fc.constantFrom("password", "TOKEN", "api", "_key", ": ", "=", '"', "abc12345"),
    fc.constantFrom(...Object.values(HARMLESS).filter((text) => text.length < 100)),
    fc.constantFrom(
      "://",
      ":",
      "/",
      "@",
      "sk-",
      "ghp_",
      "-----",
      "BEGIN ",
      "Authorization",
      "Bearer ",
      "A",
      "x",
      "é\n",
    ),
    fc.string({ unit: "binary", maxLength: 5 }),
    fc.constantFrom(" ", "\n", '"', "_"),
  );

  test("gives the same bytes however it is cut", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(5000), { maxLength: 12 }), (pieces, cuts) => {
        const text = pieces.join("");
        expect(redactInPieces(text, cuts)).toBe(redactInPieces(text, []));
        expect(redactInPieces(text, [])).toBe(redactLogText(text));
      }),
      { numRuns: 2000 },
    );
  });

  test("counts a character of several bytes alike in a text and in a stream", () => {
    const text = "Authorization: abc12345\u{10000}";
    expect(redactInPieces(text, [])).toBe(redactLogText(text));
  });

  test("finds a credential that overlaps what looks like the beginning of another", () => {
    expect(redactCredentials(`sk${pem("")}`)).toBe("sk***");
  });

  test("gives the same bytes when they come one by one", () => {
    const fields = [...Object.values(FIELDS), ...Object.values(NAMED)].map(([field]) => field);
    const text = [...Object.values(CREDENTIALS), ...fields].join(" | ");
    expect(
      redactInPieces(
        text,
        Array.from({ length: text.length }, (_, i) => i),
      ),
    ).toBe(redactLogText(text));
  });

  test("holds nothing back that cannot be the beginning of a credential", () => {
    const stream = new CredentialStream();
    const push = (text: string): string => Buffer.from(stream.push(Buffer.from(text))).toString();
    expect(push("loading…")).toBe("loading…");
    expect(push("50% .....")).toBe("50% .....");
    expect(push(" token g")).toBe(" token ");
    expect(push("o")).toBe("go");
    expect(push(" http://local")).toBe(" http");
    expect(push("host/")).toBe("://localhost/");
  });

  test("leaves bytes that are no text as they are", () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256));
    const stream = new CredentialStream();
    expect(Buffer.concat([stream.push(bytes), stream.end()]).equals(bytes)).toBe(true);
  });
});
