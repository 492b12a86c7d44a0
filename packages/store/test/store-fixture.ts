import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startFauxqs } from "fauxqs";
import type { ArtifactStore } from "../src/artifacts/artifact-store.ts";
import { FileArtifactStore } from "../src/artifacts/file-artifact-store.ts";
import { S3ArtifactStore } from "../src/artifacts/s3-artifact-store.ts";

const LONG_AGO_SEC = 1_000_000;
const BUCKET = "fanfold-test";

/** An empty artifact store, and what a test does to it behind its back. */
export interface StoreFixture {
  readonly store: ArtifactStore;
  /** Where the bytes of a hash are, as messages tell it. */
  placeOf(sha256: string): string;
  /** Puts other bytes in the place of an artifact. */
  overwrite(sha256: string, text: string): Promise<void>;
  /** Makes artifacts old. @returns a time after they were put, by the clock of the store */
  later(shas: readonly string[]): Promise<number>;
  /** Leaves 5 old bytes and a younger piece `new` behind. @returns a time between the two */
  leaveBehind(): Promise<number>;
  listLeft(): Promise<string[]>;
  dispose(): Promise<void>;
}

/** Where artifact stores of one kind are made. */
export interface StoreKind {
  fixture(): Promise<StoreFixture>;
  close(): Promise<void>;
}

export function fileFixture(): Promise<StoreKind> {
  return Promise.resolve({ fixture: openFiles, close: () => Promise.resolve() });
}

async function openFiles(): Promise<StoreFixture> {
  const dir = await mkdtemp(join(tmpdir(), "fanfold-artifacts-"));
  const store = new FileArtifactStore(dir);
  const placeOf = (sha256: string): string => join(dir, "sha256", sha256.slice(0, 2), sha256);
  const incoming = join(dir, "incoming");
  return {
    store,
    placeOf,
    async overwrite(sha256, text) {
      await chmod(placeOf(sha256), 0o644);
      await writeFile(placeOf(sha256), text);
    },
    async later(shas) {
      for (const sha of shas) await utimes(placeOf(sha), LONG_AGO_SEC, LONG_AGO_SEC);
      return store.nowMs();
    },
    async leaveBehind() {
      await mkdir(incoming, { recursive: true });
      await writeFile(join(incoming, "old"), "12345");
      await utimes(join(incoming, "old"), LONG_AGO_SEC, LONG_AGO_SEC);
      const beforeMs = await store.nowMs();
      await writeFile(join(incoming, "new"), "1");
      return beforeMs;
    },
    listLeft: () => readdir(incoming),
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
}

/** A server of the test's own, which speaks S3 on loopback. */
export async function s3Fixture(): Promise<StoreKind> {
  const server = await startFauxqs({ port: 0, logger: false });
  server.createBucket(BUCKET);
  process.env["AWS_ACCESS_KEY_ID"] = "test";
  process.env["AWS_SECRET_ACCESS_KEY"] = "test";
  const client = new S3Client({
    endpoint: server.address,
    region: "us-east-1",
    forcePathStyle: true,
    requestHandler: { connectionTimeout: 5_000 },
  });
  let fixtures = 0;
  return {
    fixture: () => {
      fixtures += 1;
      return Promise.resolve(openS3(server.address, client, `case-${fixtures}/`));
    },
    async close() {
      client.destroy();
      await server.stop();
    },
  };
}

function openS3(endpoint: string, client: S3Client, prefix: string): StoreFixture {
  const store = new S3ArtifactStore({ bucket: BUCKET, prefix, endpoint, forcePathStyle: true });
  const keyOf = (sha256: string): string => `${prefix}sha256/${sha256.slice(0, 2)}/${sha256}`;
  const put = async (Key: string, Body: string): Promise<void> => {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  };
  /** Waits for the next second of the store, whose times are whole seconds. */
  const nextSecond = async (): Promise<number> => {
    const beganMs = await store.nowMs();
    for (;;) {
      const nowMs = await store.nowMs();
      if (nowMs > beganMs) return nowMs;
    }
  };
  return {
    store,
    placeOf: (sha256) => `s3://${BUCKET}/${keyOf(sha256)}`,
    overwrite: (sha256, text) => put(keyOf(sha256), text),
    later: nextSecond,
    async leaveBehind() {
      await put(`${prefix}incoming/old`, "12345");
      const beforeMs = await nextSecond();
      await put(`${prefix}incoming/new`, "1");
      return beforeMs;
    },
    async listLeft() {
      const Prefix = `${prefix}incoming/`;
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix }));
      return Contents.map(({ Key = "" }) => Key.slice(Prefix.length));
    },
    async dispose() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
      for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    },
  };
}
