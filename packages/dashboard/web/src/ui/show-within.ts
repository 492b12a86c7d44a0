/** Scrolls a row sideways, and nothing else, until a part of it is in sight. */
export function showWithin(row: HTMLElement, part: HTMLElement): void {
  const [box, at] = [row.getBoundingClientRect(), part.getBoundingClientRect()];
  if (at.left < box.left) row.scrollLeft -= box.left - at.left;
  else if (at.right > box.right) row.scrollLeft += at.right - box.right;
}
