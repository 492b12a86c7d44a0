import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const PLAN_DIRECTORY = new URL("..", import.meta.url);
const SCENE = /^== *([\w-]+) *\| *([\w-]+)$/;
const SPOKEN = /^([A-Z]+): (.+)$/;

/**
 * Reads the script into one record a line. A scene that comes back goes on counting, so an id never comes twice.
 *
 * @type {import("fanfold").Handler}
 */
export default async function ingest(ctx) {
  const text = await readFile(fileURLToPath(new URL(ctx.env.SCRIPT, PLAN_DIRECTORY)), "utf8");
  const lines = [...parseScript(text)];
  ctx.log.info(`${lines.length} lines, ${new Set(lines.map((line) => line.scene_id)).size} scenes`);
  return lines;
}

/** @param {string} script */
function* parseScript(script) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  let place;
  for (const [index, line] of script.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, scene, route] = SCENE.exec(line) ?? [];
    if (scene !== undefined) {
      place = { scene_id: scene, route_id: route };
      continue;
    }
    if (place === undefined) throw new Error(`script line ${index + 1} stands before the first scene`);
    const number = (counts.get(place.scene_id) ?? 0) + 1;
    counts.set(place.scene_id, number);
    const [, speaker = null, text = line] = SPOKEN.exec(line) ?? [];
    yield { line_id: `${place.scene_id}-${String(number).padStart(2, "0")}`, ...place, speaker, text };
  }
}
