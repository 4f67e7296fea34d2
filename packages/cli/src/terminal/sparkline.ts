const levels = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** Amounts as a plot one line high, one character each, from 0 to the largest (or to `most`); 0 is a space, so that nothing looks like nothing. */
export function sparkline(amounts: readonly number[], most = Math.max(...amounts, 0)): string {
  return amounts.map((amount) => (amount <= 0 || most <= 0 ? " " : (levels[Math.min(levels.length - 1, Math.floor((amount / most) * levels.length))] ?? "█"))).join("");
}

/** Amounts in fewer columns: neighbours are added up, the last column is the latest. */
export function condense(amounts: readonly number[], columns: number): readonly number[] {
  if (columns <= 0) return [];
  if (amounts.length <= columns) return amounts;
  const each = Math.ceil(amounts.length / columns);
  const condensed: number[] = [];
  for (let end = amounts.length; end > 0; end -= each) condensed.unshift(amounts.slice(Math.max(0, end - each), end).reduce((sum, amount) => sum + amount, 0));
  return condensed;
}
