/** Code of a system error (`ENOENT`, `EEXIST`, …), or `undefined` for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Awaits an operation on a file that may be absent.
 *
 * @returns what the operation gave, or `undefined` when the file or its directory does not exist
 */
export async function unlessAbsent<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
