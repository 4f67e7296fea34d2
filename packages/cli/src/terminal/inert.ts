/**
 * Controls but for tab, format characters (bidi controls, zero-width characters, BOM, tags), line and paragraph separators, lone surrogates,
 * and what shows nothing at all; but not the signs of writing among them, nor what chooses between text and emoji.
 */
const unsafe = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]--[\t\u0600-\u0605\u06dd\u0890\u0891\u08e2\u{110bd}\u{110cd}\ufe00-\ufe0f]]/gv;
/** No script stacks more marks on one letter; a tower of them is drawn over the lines above. */
const tower = /(\p{M}{8})\p{M}+/gu;

/** No line of ours shows more of a text from elsewhere: megabytes on one line would push all else off the screen. */
export const maxShownCharacters = 4_096;

/**
 * Text from elsewhere as one line that cannot move the cursor, change colours, reorder, hide or cover what stands beside it: such characters
 * become `\x1b`, `\u202e` … Tabs stay. Of a line over `maxCharacters` the rest is cut, and says so.
 */
export function inert(text: string, maxCharacters = maxShownCharacters): string {
  const kept = text.length <= maxCharacters ? text : wholeCharacters(text.slice(0, maxCharacters));
  return escapeUnsafe(kept) + (kept.length === text.length ? "" : lineCut(text.length - kept.length));
}

/** Like {@link inert} for text of several lines: line ends stay, without the carriage return before them. */
export function inertLines(text: string): string {
  return text.split(/\r?\n/).map((line) => inert(line)).join("\n");
}

/** A value as one line of JSON that a terminal shows as it is and a program reads as the same value: what is unsafe is escaped as JSON does. */
export function inertJson(value: unknown): string {
  return JSON.stringify(value).replace(unsafe, (character) => [...Array(character.length).keys()].map((at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(""));
}

/** What stands where a line was cut. */
export function lineCut(characters: number): string {
  return `… [${characters} more characters cut here]`;
}

/** The characters of {@link inert}, whatever their number. */
export function escapeUnsafe(text: string): string {
  return text.replace(unsafe, escaped).replace(tower, "$1…");
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return `\\u${code > 0xffff ? `{${code.toString(16)}}` : hex(code, 4)}`;
}

/** A cut must not leave half of a pair. */
function wholeCharacters(text: string): string {
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
