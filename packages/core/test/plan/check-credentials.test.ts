import { describe, expect, test } from "vitest";
import { compilePlanText, compilePlanValue } from "../../src/plan/compile-plan.ts";
import { isCredentialName, maskCredentials, maskNamedCredentials } from "../../src/plan/credential.ts";
import { formatProblem } from "../../src/plan/format-problem.ts";
import { compileYaml, problemsOf, samplePlan, summaryOf } from "./plan-samples.ts";

const HINT = "(write ${secret:NAME}: workers put in the value, and it is stored nowhere)";
/** Made up, in parts, so that nobody takes this file for a leak. */
const GITHUB = ["ghp", "_0123456789abcdefABCDEF0123456789abcd"].join("");
const AWS = ["AKIA", "ABCDEFGHIJKLMNOP"].join("");
const OPENAI = ["sk", "-proj-0123456789abcdefghij"].join("");
const SLACK = ["xoxb", "-123456789012-abcdefghijkl"].join("");
const KEY_LINE = ["-----BEGIN RSA", " PRIVATE KEY-----"].join("");

describe("a name", () => {
  test.each([
    "password",
    "DB_PASSWORD",
    "apiKey",
    "API_KEY",
    "github-token",
    "clientSecret",
    "AWS_SECRET_ACCESS_KEY",
    "ssh_key",
    "PGPASSWORD",
    "authtoken",
    "TOKEN_2",
  ])("is that of a credential: %s", (name) => {
    expect(isCredentialName(name)).toBe(true);
  });

  test.each([
    "MAX_TOKENS",
    "TOKEN_LIMIT",
    "PASSWORD_FILE",
    "key",
    "line_key",
    "tokenizer",
    "SECRETARY",
    "KEYBOARD",
    "secret_name",
    "",
  ])("is none: %s", (name) => {
    expect(isCredentialName(name)).toBe(false);
  });
});

describe("a credential in plain text is warned of", () => {
  test("by its name, in the environment and in variables", () => {
    const plan = samplePlan(
      [{ id: "a", command: "x", args: ["${API_KEY}"], env: { DB_PASSWORD: "hunter2", PORT: "1" } }],
      {
        globals: { env: { GITHUB_TOKEN: "abc" } },
        variables: { API_KEY: { default: "k1" } },
      },
    );
    expect(summaryOf(compilePlanValue(plan))).toEqual([
      `SECRET_LITERAL globals.env.GITHUB_TOKEN looks like a credential in plain text ${HINT}`,
      `SECRET_LITERAL phase "a": env.DB_PASSWORD looks like a credential in plain text ${HINT}`,
      `SECRET_LITERAL variables.API_KEY.default looks like a credential in plain text ${HINT}`,
    ]);
    expect(compilePlanValue(plan).ok).toBe(true);
    expect(compilePlanValue(plan, { strict: true }).ok).toBe(false);
  });

  test.each([GITHUB, AWS, OPENAI, SLACK, KEY_LINE, "redis://user:hunter22@host/0"])(
    "by its form, wherever it is: %s",
    (credential) => {
      const plan = samplePlan([{ id: "a", command: "x", args: [`--with=${credential}`] }], {
        metadata: { note: [credential] },
      });
      expect(summaryOf(compilePlanValue(plan)).toSorted()).toEqual([
        `SECRET_LITERAL metadata.note[0] contains what looks like a credential ${HINT}`,
        `SECRET_LITERAL phase "a": args[0] contains what looks like a credential ${HINT}`,
      ]);
    },
  );

  test("once, where both its name and its form give it away", () => {
    expect(summaryOf(compilePlanValue(samplePlan([{ id: "a", command: "x", env: { GITHUB_TOKEN: GITHUB } }])))).toEqual(
      [`SECRET_LITERAL phase "a": env.GITHUB_TOKEN contains what looks like a credential ${HINT}`],
    );
  });

  test("when the caller gives it", () => {
    const plan = samplePlan([{ id: "a", command: "x", args: ["${API_KEY} ${OTHER}"] }], {
      variables: { API_KEY: {}, OTHER: {} },
    });
    expect(summaryOf(compilePlanValue(plan, { variables: { API_KEY: "k1", OTHER: GITHUB } }))).toEqual([
      `SECRET_LITERAL variable API_KEY is given what looks like a credential, and would be stored with the run ${HINT}`,
      `SECRET_LITERAL variable OTHER is given what looks like a credential, and would be stored with the run ${HINT}`,
    ]);
  });

  test.each([
    { API_KEY: "${secret:API_KEY}" },
    { AUTH_TOKEN: "Bearer ${secret:TOKEN}" },
    { API_KEY: "" },
    { USE_PASSWORD: "true" },
    { MAX_TOKENS: "4000" },
    { NOTE: "sk-learn-is-a-library-for-everyone, task-sk-1" },
    { URL: "https://host:8080/a:b@c", LOGIN: "redis://user:${secret:REDIS}@host" },
  ])("but not what is none: %j", (env) => {
    expect(summaryOf(compilePlanValue(samplePlan([{ id: "a", command: "x", env }])))).toEqual([]);
  });
});

describe("a credential is never shown", () => {
  const values = [GITHUB, AWS, OPENAI, SLACK, "hunter2", "hunter22", "k1-k1-k1", "MIIEowIBAAKCAQEA"];
  const text = `plan_id: sample
version: "1"
variables:
  API_KEY:
    type: number
    default: k1-k1-k1
  OTHER: { type: enum, values: [a], default: ${GITHUB} }
globals:
  env: { DB_PASSWORD: hunter2, A: "${OPENAI}" }
phases:
  - id: a
    command: ["${AWS}"]
    args: ["\${API_KEY}", "\${OTHER}", "redis://user:hunter22@host", "${SLACK} \${what}"]
    on_failure: "${GITHUB}"
    env:
      KEY_FILE: |
        ${KEY_LINE}
        MIIEowIBAAKCAQEA
        MIIEowIBAAKCAQEA
    cwd: "../${GITHUB}"
    wrong: 1
`;

  test("in messages, hints and frames of whatever problem, whole or in part", () => {
    const problems = problemsOf(compilePlanText({ text, file: "plan.yaml" }));
    const output = problems.map(formatProblem).join("\n");
    expect(problems.length).toBeGreaterThan(10);
    for (const value of values) expect(output).not.toContain(value);
    expect(output).not.toMatch(/hunter|k1-k|AKIA|ghp_|sk-proj|xoxb|MIIE/);
    expect(output).toContain("DB_PASSWORD: *******, A:");
  });

  test("in a text that cannot even be parsed", () => {
    const output = problemsOf(compileYaml(`phases:\n  - { id: a, env: { API_TOKEN: hunter2, B: ${GITHUB} }\n`)).map(
      formatProblem,
    );
    expect(output.join("\n")).toMatch(/YAML_SYNTAX/);
    expect(output.join("\n")).not.toMatch(/hunter2|ghp_/);
  });

  test("behind an alias either", () => {
    const body = `globals: { env: &env { DB_PASSWORD: "hunter2 and more" } }\nphases: [{ id: a, command: x, env: *env }]\n`;
    const output = problemsOf(compileYaml(body)).map(formatProblem).join("\n");
    expect(output).toMatch(/globals.env.DB_PASSWORD(.|\n)*phase "a": env.DB_PASSWORD/);
    expect(output).not.toContain("hunter2");
  });

  test("as the value of a variable that is refused", () => {
    const plan = samplePlan([{ id: "a", command: "x", args: ["${API_KEY} ${N}"] }], {
      variables: { API_KEY: { pattern: "[a-z]+" }, N: { type: "number" } },
    });
    const output = problemsOf(compilePlanValue(plan, { variables: { API_KEY: "K1", N: GITHUB } })).map(formatProblem);
    expect(output.join("\n")).toContain(
      "variable API_KEY cannot be what it is given: it must be text that matches [a-z]+",
    );
    expect(output.join("\n")).not.toMatch(/"K1"|ghp_/);
  });
});

describe("masking", () => {
  test("keeps the length of a text, its line breaks and all that is no credential", () => {
    expect(maskCredentials(`see ${AWS}, or not`)).toBe("see ********************, or not");
    expect(maskCredentials(`${KEY_LINE}\nMIIE\n`)).toMatch(/^\*+\n\*{4}\n$/);
    expect(maskNamedCredentials("{ token: 'a b', n: 1, url: x }")).toBe("{ token: '***', n: 1, url: x }");
    expect(maskNamedCredentials('API_KEY="x" --token=y password: ${secret:P}')).toBe(
      'API_KEY="*" --token=* password: ${secret:P}',
    );
  });
});
