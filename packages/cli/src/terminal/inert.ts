// C0 but for tab, DEL, C1, line and paragraph separators, and what reorders or hides text: bidi controls, zero-width characters, BOM, tags.
const unsafe = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * Text from elsewhere as one line that cannot move the cursor, change colours, reorder or hide what stands beside it: such characters
 * become `\x1b`, `\u202e` … Tabs stay.
 */
export function inert(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code > 0xffff ? `{${code.toString(16)}}` : code.toString(16).padStart(4, "0")}`;
  });
}

/** Like {@link inert} for text of several lines: line ends stay, without the carriage return before them. */
export function inertLines(text: string): string {
  return text.split(/\r?\n/).map(inert).join("\n");
}
