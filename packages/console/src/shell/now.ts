import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

const now = signal(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** The time, epoch milliseconds, drawn again each second; no clock runs while nobody shows one. */
export function useNow(): number {
  useEffect(() => {
    watchers += 1;
    timer ??= setInterval(() => (now.value = Date.now()), 1_000);
    return () => {
      watchers -= 1;
      if (watchers > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return now.value;
}

/** Asks at once, and then again and again, what only asking tells; `undefined` until the first answer. The last answer stays while asking fails. */
export function usePolled<T>(ask: () => Promise<T>, everyMs: number, of: readonly unknown[]): { readonly value: T | undefined; readonly error: Error | undefined; readonly again: () => void } {
  const [state, setState] = useState<{ value: T | undefined; error: Error | undefined }>({ value: undefined, error: undefined });
  const [count, setCount] = useState(0);
  useEffect(() => {
    let isOver = false;
    const look = () => {
      if (document.hidden) return;
      ask().then(
        (value) => { if (!isOver) setState({ value, error: undefined }); },
        (error: unknown) => { if (!isOver) setState((before) => ({ ...before, error: error instanceof Error ? error : new Error(String(error)) })); },
      );
    };
    look();
    const ticking = setInterval(look, everyMs);
    return () => {
      isOver = true;
      clearInterval(ticking);
    };
  }, [...of, count]);
  return { ...state, again: () => setCount((before) => before + 1) };
}
