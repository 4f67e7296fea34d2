/** Which rows of a long list stand in the part that is seen, with some more on either side: only those are made. */
export function visibleRows({ scrollTop, height, rowHeight, count, spare = 8 }: { readonly scrollTop: number; readonly height: number; readonly rowHeight: number; readonly count: number; readonly spare?: number }): { readonly from: number; readonly until: number } {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - spare;
  const from = Math.max(0, Math.min(first, count));
  const until = Math.min(count, Math.ceil((Math.max(0, scrollTop) + height) / rowHeight) + spare);
  return { from, until: Math.max(from, until) };
}
