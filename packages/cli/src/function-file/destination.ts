/** A destination as one word: a function's name has neither colon nor slash, and a URL has both. */
export function destinationOf(text: string): { url: string } | { function: string } {
  return /[:/]/.test(text) ? { url: text } : { function: text };
}
