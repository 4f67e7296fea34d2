import { fitStyled } from "./fit-styled.ts";
import type { Size } from "./terminal.ts";

/**
 * What to write so that a screen shows these lines, by what it shows already: only lines that differ are written, each in a row
 * cleared before (clearing what is behind a full line would take its last character). A screen of another size is written anew. Lines are cut to the screen, and held back in a terminal that can until all are there.
 */
export function createFrame(): (lines: readonly string[], size: Size) => string {
  let shown: readonly string[] = [];
  let shownSize: Size | undefined;
  return (lines, size) => {
    const isAnew = shownSize?.columns !== size.columns || shownSize.rows !== size.rows;
    const next = Array.from({ length: size.rows }, (_, row) => fitStyled(lines[row] ?? "", size.columns));
    const changes = next.flatMap((line, row) => (isAnew || line !== shown[row] ? [`\u001b[${row + 1};1H\u001b[2K${line}`] : []));
    [shown, shownSize] = [next, size];
    if (changes.length === 0) return "";
    return `\u001b[?2026h${isAnew ? "\u001b[2J" : ""}${changes.join("")}\u001b[?2026l`;
  };
}
