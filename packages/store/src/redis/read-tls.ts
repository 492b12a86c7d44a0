import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { StoreError } from "../store-error.ts";
import type { TlsFiles } from "./redis-address.ts";

/** Reads the files of a TLS connection. @throws {StoreError} REDIS_REFUSED naming a file that cannot be read */
export function readTls({ caFile, certFile, keyFile }: TlsFiles): ConnectionOptions {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new StoreError("REDIS_REFUSED", "FANFOLD_REDIS_CERT and FANFOLD_REDIS_KEY belong together; set both or none");
  }
  return {
    ...(caFile === undefined ? {} : { ca: read("FANFOLD_REDIS_CA", caFile) }),
    ...(certFile === undefined ? {} : { cert: read("FANFOLD_REDIS_CERT", certFile) }),
    ...(keyFile === undefined ? {} : { key: read("FANFOLD_REDIS_KEY", keyFile) }),
  };
}

function read(variable: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new StoreError("REDIS_REFUSED", `${variable} names ${file}, which cannot be read (${why})`, { cause });
  }
}
