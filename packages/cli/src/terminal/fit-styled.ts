import { fitWidth, textWidth } from "./text-width.ts";

const colour = /(\u001b\[[0-9;]*m)/;

/** Cuts a line that our own styles painted to at most that many columns; what was painted ends with it. */
export function fitStyled(line: string, columns: number): string {
  if (textWidth(line) <= columns) return line;
  let left = columns;
  let isCut = false;
  const parts = line.split(colour).map((part, at) => {
    if (at % 2 === 1) return part;
    if (isCut) return "";
    const width = textWidth(part);
    isCut = width > left || (width === left && textWidth(line) > columns && left === 0);
    const fitted = fitWidth(part, left);
    left -= textWidth(fitted);
    return fitted;
  });
  return parts.join("");
}
