import { describe, expect, test } from "vitest";
import { parseArtifactLocation } from "../src/artifact-location.ts";

const MINIO = { FANFOLD_S3_ENDPOINT: "http://127.0.0.1:9000" };

describe("the place of an artifact store", () => {
  test.each([
    ["file:/srv/a", "/srv/a"],
    ["file:///srv/a", "/srv/a"],
    ["file:rel", "/work/rel"],
    ["rel/deep", "/work/rel/deep"],
    ["/srv/b", "/srv/b"],
  ])("%s is a directory", (text, dir) => {
    expect(parseArtifactLocation(text, {}, "/work")).toEqual({ kind: "file", dir });
  });

  test.each([
    ["s3://builds", {}, { bucket: "builds", prefix: "", forcePathStyle: false }],
    ["s3://builds/", {}, { bucket: "builds", prefix: "", forcePathStyle: false }],
    ["s3://builds/team//fanfold/", {}, { bucket: "builds", prefix: "team/fanfold/", forcePathStyle: false }],
    [
      "s3://b.c-d/x",
      MINIO,
      { bucket: "b.c-d", prefix: "x/", endpoint: MINIO.FANFOLD_S3_ENDPOINT, forcePathStyle: true },
    ],
    [
      "s3://builds",
      { ...MINIO, FANFOLD_S3_FORCE_PATH_STYLE: "0" },
      { bucket: "builds", prefix: "", endpoint: MINIO.FANFOLD_S3_ENDPOINT, forcePathStyle: false },
    ],
    ["s3://builds", { FANFOLD_S3_FORCE_PATH_STYLE: "1" }, { bucket: "builds", prefix: "", forcePathStyle: true }],
  ])("%s with %j is a bucket", (text, env, expected) => {
    expect(parseArtifactLocation(text, env, "/work")).toEqual({ kind: "s3", ...expected });
  });

  test.each([
    ["s3://", {}, "is not s3://<bucket>/<prefix>"],
    ["s3://UPPER/x", {}, "is not s3://<bucket>/<prefix>"],
    ["s3:builds", {}, "is not s3://<bucket>/<prefix>"],
    ["gs://builds", {}, "only file:<directory> and s3://<bucket>/<prefix> are known"],
    ["s3://builds", { FANFOLD_S3_ENDPOINT: "localhost:9000" }, "must be an http:// or https:// address"],
  ])("%s with %j is refused", (text, env, message) => {
    expect(() => parseArtifactLocation(text, env, "/work")).toThrow(message);
  });
});
