/** What a person pressed: a name for keys that write nothing, else the character. */
export type Key = "up" | "down" | "left" | "right" | "page_up" | "page_down" | "home" | "end" | "tab" | "back_tab" | "enter" | "escape" | "backspace" | "interrupt" | { readonly character: string };

const sequences: Readonly<Record<string, Key>> = {
  "[A": "up", "[B": "down", "[C": "right", "[D": "left", OA: "up", OB: "down", OC: "right", OD: "left", "[5~": "page_up", "[6~": "page_down",
  "[H": "home", "[F": "end", OH: "home", OF: "end", "[1~": "home", "[4~": "end", "[Z": "back_tab",
};
const controls: Readonly<Record<string, Key>> = { "\t": "tab", "\r": "enter", "\n": "enter", "\u007f": "backspace", "\b": "backspace", "\u0003": "interrupt", "\u0004": "interrupt" };

/** The keys in what a terminal in raw mode sent at once. Sequences and controls that mean nothing here are left out; a lone escape is the key. */
export function readKeys(text: string): readonly Key[] {
  const keys: Key[] = [];
  for (const [part] of text.matchAll(/\u001b(?:\[[\d;?]*[ -/]*[@-~]|O.)?|[^]/gu)) {
    if (part === "\u001b") keys.push("escape");
    else if (part.startsWith("\u001b")) keys.push(...(Object.hasOwn(sequences, part.slice(1)) ? [sequences[part.slice(1)] ?? "escape"] : []));
    else if (Object.hasOwn(controls, part)) keys.push(controls[part] ?? "escape");
    else if (!/[\p{Cc}\p{Cf}\p{Cs}]/u.test(part)) keys.push({ character: part });
  }
  return keys;
}
