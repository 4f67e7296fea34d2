/** The one of `known` that `word` was most likely meant to be; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: candidate.startsWith(word) && word.length > 1 ? 0 : editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

/** `; did you mean --memory?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const candidate = nearest(word, known);
  return candidate === undefined ? "" : `; did you mean ${candidate}?`;
}

/** How many insertions, deletions, replacements and swaps of neighbours lead from one word to the other (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  // Row i holds the distances of from's first i characters to each beginning of to.
  let twoBefore: number[] = [];
  let before = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = at(before, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row.push(Math.min(at(before, j) + 1, at(row, j - 1) + 1, replaced, isSwap ? at(twoBefore, j - 2) + 1 : Infinity));
    }
    [twoBefore, before] = [before, row];
  }
  return at(before, to.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Infinity;
