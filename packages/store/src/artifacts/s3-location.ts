/** Where an artifact store is in an S3-compatible service. Credentials are those of the environment. */
export interface S3Location {
  readonly bucket: string;
  /** Beginning of every object's key, empty or ending with a slash. */
  readonly prefix: string;
  /** Address of a service other than that of AWS. */
  readonly endpoint?: string;
  readonly region?: string;
  /** Whether the bucket stands in the path of an address instead of in its host name. */
  readonly forcePathStyle?: boolean;
}

/** `s3://bucket/prefix/key`, for people. */
export function describeObject({ bucket, prefix }: S3Location, key: string): string {
  return `s3://${bucket}/${prefix}${key}`;
}
