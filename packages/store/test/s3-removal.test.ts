import { createServer, request, type Server } from "node:http";
import { once } from "node:events";
import { startFauxqs } from "fauxqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { S3ArtifactStore } from "../src/artifacts/s3-artifact-store.ts";

const BUCKET = "fanfold-removal";

/** A proxy in front of the server that holds the removal of an object back until it is told to let it pass. */
interface HoldingProxy {
  readonly server: Server;
  readonly endpoint: string;
  /** Resolves when a removal of an object is held. */
  held: Promise<void>;
  release: () => void;
}

let target: Awaited<ReturnType<typeof startFauxqs>>;
let proxy: HoldingProxy;
beforeAll(async () => {
  process.env["AWS_ACCESS_KEY_ID"] = "test";
  process.env["AWS_SECRET_ACCESS_KEY"] = "test";
  target = await startFauxqs({ port: 0, logger: false, messageSpies: true });
  target.createBucket(BUCKET);
  proxy = await startProxy(target.port);
});
afterAll(async () => {
  proxy.server.closeAllConnections();
  proxy.server.close();
  await target.stop();
});

async function startProxy(port: number): Promise<HoldingProxy> {
  let tellHeld: () => void = () => undefined;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    tellHeld = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = createServer((req, res) => {
    const pass = (): void => {
      const onward = request({ port, host: "127.0.0.1", path: req.url, method: req.method, headers: req.headers });
      onward.on("response", (answer) => {
        res.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(res);
      });
      req.pipe(onward);
    };
    if (req.method === "DELETE" && /\/[0-9a-f]{64}\?/.test(req.url ?? "")) {
      tellHeld();
      void released.then(pass);
    } else pass();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, endpoint: `http://127.0.0.1:${address.port}`, held, release };
}

test("content that is put again between the last look at its age and its removal stays", async () => {
  const location = { bucket: BUCKET, prefix: "", forcePathStyle: true };
  const collector = new S3ArtifactStore({ ...location, endpoint: proxy.endpoint });
  const writer = new S3ArtifactStore({ ...location, endpoint: target.address });
  const bytes = Buffer.from("put twice");
  const { sha256 } = await writer.put([bytes]);
  const removing = collector.remove(sha256, Number.POSITIVE_INFINITY, { dryRun: false });
  await proxy.held;
  const putting = writer.put([bytes]);
  // the writer has put it and waits for the mark to go
  await Promise.race([putting.then(() => expect.unreachable("the writer did not wait")), untilPutTwice()]);
  proxy.release();
  expect(await removing).toBe(bytes.byteLength);
  await putting;
  const chunks: Uint8Array[] = [];
  for await (const chunk of writer.stream(sha256)) chunks.push(chunk);
  expect(Buffer.concat(chunks)).toEqual(bytes);
  expect(await writer.removeLeftovers(Number.POSITIVE_INFINITY, { dryRun: true })).toEqual({ files: 0, bytes: 0 });
});

/** Waits until the object has been written a second time. */
async function untilPutTwice(): Promise<void> {
  const puts = await target.spy.waitForMessages({ service: "s3" }, { status: "uploaded", count: 3, timeout: 5_000 });
  expect(puts.length).toBeGreaterThanOrEqual(3);
}
