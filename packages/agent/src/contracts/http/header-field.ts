/** What a field name consists of (RFC 9110, 5.6.2). */
export const fieldNamePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What a field value must not hold (RFC 9110, 5.5): control characters, and what is beyond Latin-1 and would lose its upper byte. */
export const forbiddenInFieldValue = /[^\t\x20-\x7e\x80-\xff]/;

/** Takes off blanks and tabs at both ends, and nothing else: 0xA0 may be the last byte of a UTF-8 character. */
export function trimBlanks(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value.charCodeAt(from))) from += 1;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to -= 1;
  return value.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
