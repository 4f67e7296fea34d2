/** A stretch of text as it is, or one character that would not be seen, or would move or reorder what stands beside it. */
export type Piece = { readonly text: string } | { readonly mark: string; readonly title: string };

// C0 but for tab and line feed, DEL, C1, separators of lines and paragraphs, and what reorders or hides: bidi controls, zero-width characters, BOM, tags.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

const names: Readonly<Record<number, string>> = {
  0x00: "null", 0x07: "bell", 0x08: "backspace", 0x0d: "carriage return", 0x1b: "escape", 0x7f: "delete", 0xad: "soft hyphen", 0x61c: "Arabic letter mark",
  0x200b: "zero-width space", 0x200c: "zero-width non-joiner", 0x200d: "zero-width joiner", 0x200e: "left-to-right mark", 0x200f: "right-to-left mark",
  0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding", 0x202c: "end of direction", 0x202d: "left-to-right override", 0x202e: "right-to-left override",
  0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate", 0x2068: "first strong isolate", 0x2069: "end of isolate", 0xfeff: "byte order mark",
};

/** As ASCII calls them: the pictures that Unicode has for them are in few fonts. */
const controls = ["NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF", "CR", "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US"];

/** Text from elsewhere, taken apart so that what it hides can be shown. Tabs and line feeds stay; a carriage return before a line feed goes. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  const source = text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text;
  let from = 0;
  for (const match of source.matchAll(unsafe)) {
    if (match.index > from) pieces.push({ text: source.slice(from, match.index) });
    pieces.push(markOf(match[0]));
    from = match.index + match[0].length;
  }
  if (from < source.length) pieces.push({ text: source.slice(from) });
  return pieces;
}

function markOf(character: string): Piece {
  const code = character.codePointAt(0) ?? 0;
  const point = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const name = names[code];
  return { mark: controls[code] ?? point, title: name === undefined ? point : `${point} ${name}` };
}

/** The same as one plain string, for titles, attributes and files: marks in angle brackets. */
export function inert(text: string): string {
  return piecesOf(text).map((piece) => ("text" in piece ? piece.text : `⟨${piece.mark}⟩`)).join("");
}

/** The beginning of a text, never half of a pair of surrogates, and how many characters were left out. */
export function cut(text: string, most: number): { readonly shown: string; readonly hidden: number } {
  if (text.length <= most) return { shown: text, hidden: 0 };
  const last = text.charCodeAt(most - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? most - 1 : most;
  return { shown: text.slice(0, end), hidden: text.length - end };
}
