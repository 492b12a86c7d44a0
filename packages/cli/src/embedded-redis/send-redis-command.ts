import { connect } from "node:net";

/** How one command to a Redis server ended. */
export type RedisOutcome =
  | { status: "replied"; text: string }
  /** The server answered with an error such as `LOADING …`. */
  | { status: "refused"; text: string }
  /** The server closed the connection without an answer, as it does after `SHUTDOWN`. */
  | { status: "closed" }
  /** The server took the connection and said nothing in time. */
  | { status: "silent" }
  | { status: "unreachable" };

/**
 * Sends one inline command over a connection of its own and waits for the answer. Small on purpose: it serves
 * to ask a server that may not be there yet, where a full client would connect, reconnect and check for itself.
 *
 * @param command words without spaces or quotes inside
 * @returns never rejects
 */
export function sendRedisCommand(socketPath: string, command: string, timeoutMs: number): Promise<RedisOutcome> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(socketPath);
    const settle = (outcome: RedisOutcome): void => {
      resolve(outcome);
      socket.destroy();
    };
    // One character per byte, as reply lengths count bytes.
    socket.setEncoding("latin1");
    socket.setTimeout(timeoutMs, () => settle({ status: "silent" }));
    socket.on("connect", () => socket.write(`${command}\r\n`));
    socket.on("data", (chunk: string) => {
      received += chunk;
      const outcome = parseReply(received);
      if (outcome !== undefined) settle(outcome);
    });
    socket.on("error", () => settle({ status: "unreachable" }));
    socket.on("close", () => settle({ status: "closed" }));
  });
}

/**
 * Reads a simple string, an error or a bulk string.
 *
 * @returns `undefined` while the reply is not complete
 */
export function parseReply(received: string): RedisOutcome | undefined {
  const lineEnd = received.indexOf("\r\n");
  if (lineEnd === -1) return undefined;
  const line = received.slice(1, lineEnd);
  if (received.startsWith("-")) return { status: "refused", text: line };
  if (!received.startsWith("$")) return { status: "replied", text: line };
  const start = lineEnd + 2;
  const end = start + Number(line);
  return received.length < end + 2 ? undefined : { status: "replied", text: received.slice(start, end) };
}
