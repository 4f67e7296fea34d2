import { createFrame } from "./frame.ts";
import { type Key, readKeys } from "./keys.ts";
import type { Terminal } from "./terminal.ts";

const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";

/** A whole terminal to draw on. While it is open nothing else may write to stdout or stderr. */
export interface Screen {
  /** Shows these lines, the first one at the top. */
  readonly draw: (lines: readonly string[]) => void;
  /** Gives the terminal back as it was. Idempotent. */
  readonly close: () => void;
}

export interface ScreenOptions {
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
}

/** Takes the terminal behind stdout, and the keys of the one behind stdin. It is given back by `close`, and when the process ends in any way that it still sees. */
export function openScreen({ input, out, isInputTerminal, size, onProcessEnd }: Terminal, { onKey, onResize }: ScreenOptions): Screen {
  const frame = createFrame();
  const keyboard = isInputTerminal ? (input as typeof input & { setRawMode?: (isRaw: boolean) => void }) : undefined;
  const receive = (bytes: Uint8Array | string) => {
    for (const key of readKeys(typeof bytes === "string" ? bytes : Buffer.from(bytes).toString())) onKey(key);
  };
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    forget();
    out.off("resize", onResize);
    keyboard?.off("data", receive);
    keyboard?.setRawMode?.(false);
    keyboard?.pause();
    out.write(leave);
  };
  const forget = onProcessEnd(close);
  out.write(enter);
  out.on("resize", onResize);
  keyboard?.setRawMode?.(true);
  keyboard?.on("data", receive);
  return {
    draw: (lines) => {
      const text = isOpen ? frame(lines, size()) : "";
      if (text !== "") out.write(text);
    },
    close,
  };
}
