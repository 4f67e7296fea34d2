import { escapeUnsafe, lineCut } from "./inert.ts";

/** Answers are looked at, so that a long line shows more than one of ours would; a pipe or a file gets all of it. */
export const maxBodyLineCharacters = 65_536;

/**
 * Bytes of a function as a terminal may have them: read as UTF-8, line ends and tabs as they are, everything else that would not stand
 * still made visible as {@link escapeUnsafe} does, and lines cut at {@link maxBodyLineCharacters}. Holds no more than a chunk.
 */
export async function* inertBody(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const lines = createLines();
  for await (const chunk of body) yield encoder.encode(lines.take(decoder.decode(chunk, { stream: true })));
  yield encoder.encode(lines.take(decoder.decode()) + lines.end());
}

interface Lines {
  readonly take: (text: string) => string;
  readonly end: () => string;
}

/** Takes text in any pieces and gives what may be shown of it. */
function createLines(): Lines {
  let shown = 0;
  let cut = 0;
  /** A carriage return whose line feed may be yet to come. */
  let held = "";
  const part = (text: string): string => {
    const kept = text.slice(0, maxBodyLineCharacters - shown);
    shown += kept.length;
    cut += text.length - kept.length;
    return escapeUnsafe(kept);
  };
  const endLine = (): string => {
    const told = cut === 0 ? "" : lineCut(cut);
    [shown, cut] = [0, 0];
    return told;
  };
  return {
    take(text) {
      const all = held + text;
      held = all.endsWith("\r") ? "\r" : "";
      const [first = "", ...more] = (held === "" ? all : all.slice(0, -1)).split(/\r?\n/);
      return part(first) + more.map((line) => `${endLine()}\n${part(line)}`).join("");
    },
    end: () => part(held) + endLine(),
  };
}
