import type * as S3 from "@aws-sdk/client-s3";
import type { GetObjectCommandOutput, S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import { StoreError } from "../store-error.ts";
import { isBeyondEnd, isNoObject, s3Failure } from "./s3-failure.ts";
import { describeObject, type S3Location } from "./s3-location.ts";

/** How often the client tries a request, with growing pauses. */
const TRIES = 5;
/** Longest time to connect, and without a byte, in ms. */
const CONNECT_MS = 5_000;
const QUIET_MS = 60_000;
/** Size of a part of a large upload, in bytes, and how many are under way at once: what an upload keeps in memory. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** Most parts an upload may have. */
const MAX_PARTS = 10_000;

/** What is known of an object without reading it. */
export interface S3Head {
  readonly sizeBytes: number;
  readonly putAtMs: number;
}

/** An object that is being read. */
export interface S3Body {
  readonly body: Readable;
  /** Changes with the bytes. */
  readonly etag: string;
  /** Size of the whole object, also where only a range is read. */
  readonly sizeBytes: number;
}

interface Connection {
  readonly sdk: typeof S3;
  readonly client: S3Client;
}

/**
 * Objects of a bucket below a prefix. The client is loaded with the first request, which a process without one does not
 * pay for. A request that fails is repeated; then it is a StoreError that says what to do.
 */
export class S3Objects {
  readonly #location: S3Location;
  #connecting: Promise<Connection> | undefined;

  constructor(location: S3Location) {
    this.#location = location;
  }

  /** `s3://…` of an object, for people. */
  describe(key: string): string {
    return describeObject(this.#location, key);
  }

  /** The error of a request that failed with `cause`. */
  failure(verb: string, key: string, cause: unknown): StoreError {
    return cause instanceof StoreError ? cause : s3Failure(this.#location, verb, key, cause);
  }

  /** Writes an object, in several parts where it is large. It is there whole or not at all. */
  async put(key: string, content: Uint8Array | Readable, sizeBytes: number): Promise<void> {
    await this.#ask("write", key, async ({ sdk, client }, at) => {
      if (content instanceof Uint8Array) {
        await client.send(new sdk.PutObjectCommand({ ...at, Body: content, ContentLength: sizeBytes }));
        return;
      }
      const { Upload } = await import("@aws-sdk/lib-storage");
      const partSize = Math.max(PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS));
      await new Upload({
        client,
        params: { ...at, Body: content, ContentLength: sizeBytes },
        partSize,
        queueSize: PARTS_AT_ONCE,
      }).done();
    });
  }

  /** @returns undefined when there is no such object */
  async findHead(key: string): Promise<S3Head | undefined> {
    return this.#ask("look at", key, async ({ sdk, client }, at) => {
      try {
        const { ContentLength = 0, LastModified } = await client.send(new sdk.HeadObjectCommand(at));
        return { sizeBytes: ContentLength, putAtMs: LastModified?.getTime() ?? 0 };
      } catch (error) {
        if (isNoObject(error)) return undefined;
        throw error;
      }
    });
  }

  /**
   * Begins to read an object.
   *
   * @param range first byte, and the one after the last
   * @returns `missing` when there is no such object, `beyond` when the range begins behind its end
   */
  async open(key: string, range?: { start: number; end?: number }): Promise<S3Body | "missing" | "beyond"> {
    return this.#ask("read", key, async ({ sdk, client }, at) => {
      const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end ? range.end - 1 : ""}`;
      try {
        const found = await client.send(new sdk.GetObjectCommand({ ...at, ...(Range ? { Range } : {}) }));
        return toBody(found);
      } catch (error) {
        if (isNoObject(error)) return "missing";
        if (isBeyondEnd(error)) return "beyond";
        throw error;
      }
    });
  }

  /** Removes an object; harmless when there is none. */
  async remove(key: string): Promise<void> {
    await this.#ask("remove", key, ({ sdk, client }, at) => client.send(new sdk.DeleteObjectCommand(at)));
  }

  /** Keys below a beginning, without the prefix of the store. */
  async *list(beginning: string): AsyncGenerator<string> {
    const { prefix, bucket } = this.#location;
    let after: string | undefined;
    do {
      const from = after === undefined ? {} : { ContinuationToken: after };
      const page = await this.#ask("list", beginning, ({ sdk, client }) =>
        client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + beginning, ...from })),
      );
      for (const { Key = "" } of page.Contents ?? []) yield Key.slice(prefix.length);
      after = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (after !== undefined);
  }

  /** Gives up uploads that were begun before a time and never completed. @returns how many, and their bytes */
  async abortUploads(
    begunBeforeMs: number,
    { dryRun }: { dryRun: boolean },
  ): Promise<{ files: number; bytes: number }> {
    const { prefix, bucket } = this.#location;
    return this.#ask("list the uploads of", "", async ({ sdk, client }) => {
      let [files, bytes] = [0, 0];
      const found = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
      for (const { Key, UploadId, Initiated } of found.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || (Initiated?.getTime() ?? 0) >= begunBeforeMs) continue;
        const upload = { Bucket: bucket, Key, UploadId };
        const { Parts = [] } = await client.send(new sdk.ListPartsCommand(upload));
        if (!dryRun) await client.send(new sdk.AbortMultipartUploadCommand(upload));
        files += 1;
        bytes += Parts.reduce((sum, { Size = 0 }) => sum + Size, 0);
      }
      return { files, bytes };
    });
  }

  async #ask<T>(
    verb: string,
    key: string,
    request: (connection: Connection, at: { Bucket: string; Key: string }) => Promise<T>,
  ): Promise<T> {
    const { bucket, prefix } = this.#location;
    try {
      this.#connecting ??= connect(this.#location);
      return await request(await this.#connecting, { Bucket: bucket, Key: prefix + key });
    } catch (error) {
      throw this.failure(verb, key, error);
    }
  }
}

async function connect(location: S3Location): Promise<Connection> {
  const sdk = await import("@aws-sdk/client-s3");
  return { sdk, client: withoutVersionWarning(() => new sdk.S3Client(clientConfig(location))) };
}

function clientConfig({ endpoint, region, forcePathStyle }: S3Location): S3ClientConfig {
  return {
    region: region ?? process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? "us-east-1",
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
    maxAttempts: TRIES,
    // what is read is verified by its sha256, and other services than AWS do not know the newer checksums
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: QUIET_MS },
  };
}

/** The client tells every process on Node 20 that later versions of it will want a newer Node. */
function withoutVersionWarning<T>(make: () => T): T {
  const name = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";
  const before = process.env[name];
  process.env[name] = "true";
  try {
    return make();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

function toBody({ Body, ETag = "", ContentLength = 0, ContentRange }: GetObjectCommandOutput): S3Body {
  if (!(Body instanceof Readable)) throw new Error("the answer has no body");
  const total = /\/(\d+)$/.exec(ContentRange ?? "")?.[1];
  return { body: Body, etag: ETag, sizeBytes: total === undefined ? ContentLength : Number(total) };
}
