import { join } from "node:path";
import { RunEngine } from "@fanfold/engine";
import { connectRedis, FileArtifactStore, listServers, openStore } from "@fanfold/store";
import type { Deployment, TestRedis } from "@fanfold/testkit";

/** Lets a process of its own do something, whose connection breaks after so many commands. @returns how many it sent */
export async function cutOff(
  { store, dir }: Deployment,
  { socketPath }: TestRedis,
  commands: number,
  act: (engine: RunEngine) => Promise<unknown>,
): Promise<number> {
  const [redis] = listServers(await connectRedis({ socketPath }));
  if (redis === undefined) throw new Error("there is no server");
  const own = openStore(redis, new FileArtifactStore(join(dir, "artifacts")), store.keys.prefix);
  let sent = 0;
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (...args) => {
    sent += 1;
    if (sent > commands) redis.disconnect();
    return send(...args);
  };
  try {
    await act(new RunEngine(own));
  } catch (error) {
    if (sent <= commands) throw error;
  } finally {
    await own.close().catch(() => undefined);
  }
  return sent;
}
