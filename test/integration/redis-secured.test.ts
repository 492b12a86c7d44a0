import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectRedis, type RedisAddress } from "@fanfold/store";
import { Deployment } from "@fanfold/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { BUSY_MS, ENDED_WELL, GatedPlan, type Outcome } from "./gated-plan.ts";
import { makeDir, startServer } from "./redis-server.ts";

const DOCUMENT = join(import.meta.dirname, "../../docs/redis.md");

/** The rule of a user that docs/redis.md gives, word by word, for a prefix of the test's own. */
function documentedRule(prefix: string): string[] {
  const [, command = ""] = /^```acl\nACL SETUSER (.*)\n```$/m.exec(readFileSync(DOCUMENT, "utf8")) ?? [];
  return command.replaceAll("{fanfold}", prefix).split(" ");
}

/** Runs a whole plan on a server. */
async function runPlan(address: RedisAddress): Promise<{ deployment: Deployment; outcome: Outcome }> {
  const deployment = await Deployment.start(address);
  const gated = new GatedPlan(await makeDir());
  gated.letGo();
  onTestFinished(() => deployment.stop());
  return { deployment, outcome: await gated.outcome(deployment, await deployment.submit(gated.plan)) };
}

test("a user with the documented rule may do all that Fanfold does, and nothing else", {
  timeout: BUSY_MS,
}, async () => {
  const { url, admin } = await startServer();
  const rule = documentedRule("{t*}");
  expect(rule.slice(0, 3)).toEqual(["fanfold", "on", ">password"]);
  await admin.call("ACL", "SETUSER", ...rule);
  const { deployment, outcome } = await runPlan({ url: url.replace("//", "//fanfold:password@") });
  expect(outcome).toEqual(ENDED_WELL);
  await deployment.engine.cancel(await deployment.submit(new GatedPlan(await makeDir()).plan), "test");
  const { redis } = deployment.store;
  expect(await admin.acl("LOG")).toEqual([]);
  await expect(redis.set("other", "1")).rejects.toThrow(/NOPERM/);
  const forbidden = ["FLUSHALL", "CONFIG GET dir", "KEYS *", "SHUTDOWN", "ACL LIST", "MODULE LIST"];
  for (const [command = "", ...args] of forbidden.map((text) => text.split(" "))) {
    await expect(redis.call(command, ...args)).rejects.toThrow(/NOPERM/);
  }
});

describe("TLS", () => {
  test("carries a whole plan, with certificates on both sides", { timeout: BUSY_MS }, async () => {
    const files = await makeCertificates();
    const { port } = await startServer({ args: tlsArguments(files) });
    const tls = { caFile: files.ca, certFile: files.cert, keyFile: files.key };
    const { outcome } = await runPlan({ url: `rediss://localhost:${port}`, tls });
    expect(outcome).toEqual(ENDED_WELL);
  });

  test("says what is wrong when it fails", { timeout: BUSY_MS }, async () => {
    const files = await makeCertificates();
    const { port } = await startServer({ args: tlsArguments(files) });
    const plain = await startServer();
    const all = { caFile: files.ca, certFile: files.cert, keyFile: files.key };
    const reason = async (address: RedisAddress) => {
      const startedAtMs = performance.now();
      const why = await connectRedis(address).then(String, String);
      expect(performance.now() - startedAtMs).toBeLessThan(5_000);
      return why;
    };
    const url = `rediss://localhost:${port}`;
    const reasons = await Promise.all([
      reason({ url }),
      reason({ url, tls: { caFile: files.ca } }),
      reason({ url: `rediss://127.0.0.2:${port}`, tls: all }),
      reason({ url: `redis://127.0.0.1:${port}` }),
      reason({ url: `rediss://127.0.0.1:${plain.port}`, tls: all }),
      reason({ url, tls: { caFile: "/nowhere/ca.pem" } }),
      reason({ url, tls: { certFile: files.cert } }),
    ]);
    expect(reasons).toEqual([
      expect.stringMatching(/certificate that nobody vouches for; .*FANFOLD_REDIS_CA/),
      expect.stringMatching(/wants a certificate of the client.*FANFOLD_REDIS_CERT and FANFOLD_REDIS_KEY/),
      expect.stringMatching(/certificate for another name|ECONNREFUSED/),
      expect.stringMatching(/perhaps it wants TLS: then write rediss:/),
      expect.stringMatching(/does not speak TLS.*write redis:/),
      expect.stringMatching(/FANFOLD_REDIS_CA names \/nowhere\/ca\.pem, which cannot be read \(ENOENT\)/),
      expect.stringMatching(/FANFOLD_REDIS_CERT and FANFOLD_REDIS_KEY belong together/),
    ]);
  });
});

interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate for localhost that vouches for itself, used by both sides. */
async function makeCertificates(): Promise<Certificates> {
  const dir = await makeDir();
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", [...kind, "-keyout", key, "-out", cert, ...names], { stdio: "ignore" });
  return { ca: cert, cert, key };
}

function tlsArguments({ ca, cert, key }: Certificates): string[] {
  const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca];
  return [...files, "--tls-auth-clients", "yes"];
}
