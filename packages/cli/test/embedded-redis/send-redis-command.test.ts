import { createServer } from "node:net";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseReply, sendRedisCommand } from "../../src/embedded-redis/send-redis-command.ts";
import { parseServerInfo } from "../../src/embedded-redis/wait-for-server.ts";
import { makeScratchDir } from "./scratch.ts";

/** Serves a socket that answers each connection with these pieces, then closes it if told to. */
async function serve(pieces: readonly string[], { thenClose }: { thenClose: boolean }): Promise<string> {
  const path = join(await makeScratchDir(), "s");
  const server = createServer((socket) => {
    for (const piece of pieces) socket.write(piece, "latin1");
    if (thenClose) socket.end();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}

describe("parseReply", () => {
  test("waits for the whole reply, wherever it is cut", () => {
    const replies = fc.oneof(
      fc.constantFrom("+PONG\r\n", "-LOADING data\r\n", ":1\r\n"),
      fc.string().map((text) => `$${text.length}\r\n${text}\r\n`),
    );
    fc.assert(
      fc.property(replies, (reply) => {
        for (let length = 0; length < reply.length; length += 1) {
          expect(parseReply(reply.slice(0, length))).toBeUndefined();
        }
        expect(parseReply(reply)).toBeDefined();
      }),
    );
  });

  test("tells errors from answers", () => {
    expect(parseReply("+PONG\r\n")).toEqual({ status: "replied", text: "PONG" });
    expect(parseReply("-ERR no\r\n")).toEqual({ status: "refused", text: "ERR no" });
    expect(parseReply("$4\r\na\r\nb\r\n")).toEqual({ status: "replied", text: "a\r\nb" });
  });
});

describe("sendRedisCommand", () => {
  test("gives the answer", async () => {
    const path = await serve(["$2", "\r\n\xe9", "a\r\n"], { thenClose: false });
    expect(await sendRedisCommand(path, "PING", 1_000)).toEqual({ status: "replied", text: "\xe9a" });
  });

  test("tells a server that is absent, closes, or says nothing", async () => {
    const absent = join(await makeScratchDir(), "s");
    expect(await sendRedisCommand(absent, "PING", 1_000)).toEqual({ status: "unreachable" });
    const closing = await serve([], { thenClose: true });
    expect(await sendRedisCommand(closing, "SHUTDOWN", 1_000)).toEqual({ status: "closed" });
    const mute = await serve(["+PO"], { thenClose: false });
    expect(await sendRedisCommand(mute, "PING", 20)).toEqual({ status: "silent" });
  });
});

describe("parseServerInfo", () => {
  test("reads process and version, Valkey's own before the Redis version it claims", () => {
    const redis = "# Server\r\nredis_version:7.0.15\r\nprocess_id:42\r\nexecutable:/a:b\r\n";
    expect(parseServerInfo(redis)).toEqual({ pid: 42, version: "7.0.15" });
    const valkey = "# Server\r\nredis_version:7.2.4\r\nvalkey_version:8.1.1\r\nprocess_id:42\r\n";
    expect(parseServerInfo(valkey)).toEqual({ pid: 42, version: "8.1.1" });
    expect(parseServerInfo("# Server\r\n")).toBeUndefined();
  });
});
