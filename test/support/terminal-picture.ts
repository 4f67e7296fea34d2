import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";

/** Where pictures go, for a person to look through. */
const picturesFolder = join(import.meta.dirname, "../../.cache/pictures");

/** A terminal's lines as they stand after all that was written, with their colours. Knows what our own screens write: whole lines, each cleared before. */
export function screenOf(written: string): readonly string[] {
  const lines: (string | undefined)[] = [];
  for (const [, clears, row, line = ""] of written.matchAll(/\u001b\[(?:(2J)|(\d+);1H\u001b\[2K([^]*?)(?=\u001b\[(?:\d+;1H|\?|2J)|$))/g)) {
    if (clears !== undefined) lines.length = 0;
    else lines[Number(row) - 1] = line;
  }
  return Array.from(lines, (line) => line ?? "");
}

const colours: Readonly<Record<string, string>> = { 31: "#f7768e", 32: "#9ece6a", 33: "#e0af68", 35: "#bb9af7", 36: "#7dcfff" };

/** Takes a picture of such lines, as a dark terminal shows them. */
export async function takeTerminalPicture(page: Page, lines: readonly string[], name: string): Promise<void> {
  mkdirSync(picturesFolder, { recursive: true });
  await page.setContent(`<body style="margin:0;background:#1a1b26"><pre style="display:inline-block;margin:12px;color:#c0caf5;font:14px/1.25 'DejaVu Sans Mono',monospace">${lines.map(markUp).join("\n")}</pre></body>`);
  await page.locator("pre").screenshot({ path: join(picturesFolder, `${name}.png`) });
}

/** A line with our own colour sequences (ECMA-48, SGR) as HTML. */
function markUp(line: string): string {
  const style = { bold: false, dim: false, colour: "" };
  return line
    .split(/\u001b\[(\d+)m/)
    .map((part, at) => {
      if (at % 2 === 0) return part === "" ? "" : `<span style="${styleSheet(style)}">${part.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</span>`;
      if (part === "1") style.bold = true;
      else if (part === "2") style.dim = true;
      else if (part === "22") style.bold = style.dim = false;
      else style.colour = colours[part] ?? "";
      return "";
    })
    .join("");
}

function styleSheet({ bold, dim, colour }: { readonly bold: boolean; readonly dim: boolean; readonly colour: string }): string {
  return `${bold ? "font-weight:bold;" : ""}${dim ? "opacity:.55;" : ""}${colour === "" ? "" : `color:${colour}`}`;
}
