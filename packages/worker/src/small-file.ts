import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a small file at once, for which a thread of the pool takes longer than the system does. One that is there is
 * written over, which spares the system to free and to find its place on the disk. Makes its directory.
 */
export function writeSmall(path: string, text: string | Uint8Array): void {
  const bytes = Buffer.from(text);
  const fd = openToWrite(path);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
    if (fstatSync(fd).size > bytes.length) ftruncateSync(fd, bytes.length);
  } finally {
    closeSync(fd);
  }
}

function openToWrite(path: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT;
  try {
    return openSync(path, flags);
  } catch {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, flags);
  }
}
