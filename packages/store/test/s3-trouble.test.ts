import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { S3ArtifactStore } from "../src/artifacts/s3-artifact-store.ts";

const BUCKET = "builds";
const TEXT = "0123456789".repeat(1_000);
const SHA = createHash("sha256").update(TEXT).digest("hex");

const servers: Server[] = [];
beforeEach(() => {
  process.env["AWS_ACCESS_KEY_ID"] = "test";
  process.env["AWS_SECRET_ACCESS_KEY"] = "test";
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function storeAt(answer: RequestListener): Promise<S3ArtifactStore> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return storeOn(address.port);
}

function storeOn(port: number): S3ArtifactStore {
  const endpoint = `http://127.0.0.1:${port}`;
  return new S3ArtifactStore({ bucket: BUCKET, prefix: "", endpoint, forcePathStyle: true });
}

function refusing(status: number, code: string): RequestListener {
  return (req, res) => {
    req.resume();
    res.writeHead(status, { "content-type": "application/xml" });
    res.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
  };
}

describe("a service that refuses", () => {
  test.each([
    [404, "NoSuchBucket", ["there is no bucket builds", "make it, or correct FANFOLD_ARTIFACTS"]],
    [403, "AccessDenied", ["access is denied", "AWS_ACCESS_KEY_ID"]],
    [403, "SignatureDoesNotMatch", ["access is denied", "SignatureDoesNotMatch"]],
    [400, "AuthorizationHeaderMalformed", ["another region", "AWS_REGION"]],
  ])("is told of with what to do: %i %s", async (status, code, words) => {
    const store = await storeAt(refusing(status, code));
    const putting = store.put([Buffer.from(TEXT)]);
    await expect(putting).rejects.toMatchObject({ name: "StoreError", code: "ARTIFACTS_REFUSED" });
    for (const word of [`s3://${BUCKET}/`, "http://127.0.0.1", ...words]) await expect(putting).rejects.toThrow(word);
  });
});

describe("a service that is not there", () => {
  test("is told of with its address and what to check", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    server.close();
    await once(server, "close");
    const store = storeOn(typeof address === "object" ? (address?.port ?? 0) : 0);
    const reading = store.stream(SHA)[Symbol.asyncIterator]().next();
    await expect(reading).rejects.toMatchObject({ code: "ARTIFACTS_UNREACHABLE" });
    await expect(reading).rejects.toThrow("ECONNREFUSED");
    await expect(reading).rejects.toThrow("FANFOLD_S3_ENDPOINT");
  }, 20_000);
});

describe("a service with hiccups", () => {
  test("is asked again", async () => {
    let puts = 0;
    const key = `sha256/${SHA.slice(0, 2)}/${SHA}`;
    const store = await storeAt((req, res) => {
      if (req.method === "GET") {
        return void res.end(`<ListBucketResult><Contents><Key>${key}</Key></Contents></ListBucketResult>`);
      }
      puts += 1;
      if (puts < 3) return refusing(503, "SlowDown")(req, res);
      req.resume().on("end", () => res.writeHead(200, { etag: '"a"' }).end());
    });
    expect(await store.put([Buffer.from(TEXT)])).toEqual({ sha256: SHA, size_bytes: TEXT.length });
    expect(puts).toBe(3);
  });

  test("that cuts a connection is asked for the rest", async () => {
    const ranges: (string | undefined)[] = [];
    const store = await storeAt((req, res) => {
      const { range } = req.headers;
      ranges.push(range);
      const start = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
      const rest = TEXT.slice(start);
      const status = range === undefined ? 200 : 206;
      const contentRange = { "content-range": `bytes ${start}-${TEXT.length - 1}/${TEXT.length}` };
      res.writeHead(status, { etag: '"a"', "content-length": rest.length, ...(range ? contentRange : {}) });
      if (start > 0) return void res.end(rest);
      res.write(rest.slice(0, 4_000), () => res.destroy());
    });
    const pieces: Uint8Array[] = [];
    for await (const piece of store.stream(SHA)) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe(TEXT);
    expect(ranges).toEqual([undefined, `bytes=4000-${TEXT.length - 1}`]);
  });
});
