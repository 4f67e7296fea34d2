import type { Checked } from "./checker.ts";

const mostShown = 100;

/** What was found in a history, for people: a line for each invariant, one for each violation, and the figures. */
export function linesOf({ verdicts, violations, figures }: Checked): string[] {
  return [
    ...verdicts.map(({ invariant, checked, violations: broken }) => `${invariant.padEnd(4)}${broken.length > 0 ? `VIOLATED, ${broken.length} found` : checked === 0 ? "nothing to check" : "held"}, ${checked} checked`),
    ...violations.slice(0, mostShown).map(({ invariant, invocationId, sentence }) => `${invariant}: ${sentence}${invocationId === undefined ? "" : ` (${invocationId})`}`),
    JSON.stringify(figures),
  ];
}
