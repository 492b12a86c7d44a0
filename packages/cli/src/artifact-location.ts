import { isAbsolute, resolve } from "node:path";
import type { ArtifactLocation } from "@fanfold/store";
import { CliError, EXIT } from "./exit-codes.ts";

/**
 * Where `file:<directory>`, a path or `s3://<bucket>/<prefix>` is.
 *
 * @param cwd where a relative path starts
 * @throws {CliError} on another kind of place
 */
export function parseArtifactLocation(text: string, env: NodeJS.ProcessEnv, cwd: string): ArtifactLocation {
  const scheme = /^([a-z0-9]+):/.exec(text)?.[1];
  if (scheme === "s3") return parseS3(text, env);
  if (scheme !== undefined && scheme !== "file") {
    throw new CliError(
      EXIT.usage,
      `artifact store ${text}: only file:<directory> and s3://<bucket>/<prefix> are known`,
    );
  }
  const path = text.replace(/^file:(\/\/)?/, "");
  return { kind: "file", dir: isAbsolute(path) ? path : resolve(cwd, path) };
}

function parseS3(text: string, env: NodeJS.ProcessEnv): ArtifactLocation {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?$/.exec(text);
  if (match === null) {
    throw new CliError(EXIT.usage, `artifact store ${text} is not s3://<bucket>/<prefix>, such as s3://builds/fanfold`);
  }
  const [, bucket = "", path = ""] = match;
  const names = path.split("/").filter((name) => name !== "");
  const endpoint = endpointOf(env);
  return {
    kind: "s3",
    bucket,
    prefix: names.length === 0 ? "" : `${names.join("/")}/`,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyleOf(env.FANFOLD_S3_FORCE_PATH_STYLE, endpoint !== undefined),
  };
}

function endpointOf({ FANFOLD_S3_ENDPOINT: endpoint }: NodeJS.ProcessEnv): string | undefined {
  if (endpoint === undefined || endpoint === "") return undefined;
  if (URL.canParse(endpoint) && /^https?:/.test(endpoint)) return endpoint;
  throw new CliError(
    EXIT.usage,
    `FANFOLD_S3_ENDPOINT ${JSON.stringify(endpoint)} must be an http:// or https:// address`,
  );
}

/** Services other than AWS rarely have a host name for each bucket. */
function pathStyleOf(flag: string | undefined, hasEndpoint: boolean): boolean {
  return flag === undefined || flag === "" ? hasEndpoint : flag === "1";
}
