const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * 32-bit FNV-1a hash of the UTF-8 bytes of a text.
 *
 * @see https://datatracker.ietf.org/doc/draft-eastlake-fnv/ for the algorithm and its constants
 */
export function fnv1a32(text: string): number {
  let hash = FNV_OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}

/**
 * Number in [0, 1) that depends on the seed alone: the first output of the Mulberry32 generator (Tommy Ettinger, 2017,
 * public domain) started from the FNV-1a hash of the seed. Spreads delays; no use for secrets.
 */
export function seededUnit(seed: string): number {
  const state = (fnv1a32(seed) + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
