import { exitCodes } from "../exit-code.ts";

/** Why a command should end early: Ctrl-C and its kin, or (`SIGPIPE`) that whoever read our stdout went away. */
export type Interruption = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGPIPE";

/** Ends that come from outside. Until a command asks for them here, they end the process as usual. */
export interface Interrupts {
  /** Aborted by the first one; its reason is the {@link Interruption}. */
  readonly signal: () => AbortSignal;
  /** Resolves at the next one from now on; whoever waits for it takes it. */
  readonly next: () => Promise<Interruption>;
}

const watched = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Interrupts of a process. The first aborts {@link Interrupts.signal}; each later one that nobody waits for ends the process at once:
 * a person who presses Ctrl-C twice means it.
 */
export function createInterrupts(source: Pick<NodeJS.Process, "on" | "exit" | "stdout">): Interrupts {
  const controller = new AbortController();
  const waiters: ((interruption: Interruption) => void)[] = [];
  let isWatching = false;
  const receive = (interruption: Interruption): void => {
    const waiting = waiters.splice(0);
    if (waiting.length === 0 && (controller.signal.aborted || !isWatching)) source.exit(exitCodeOfInterruption(interruption));
    controller.abort(interruption);
    for (const resolve of waiting) resolve(interruption);
  };
  const watch = (): void => {
    if (isWatching) return;
    isWatching = true;
    for (const signal of watched) source.on(signal, () => receive(signal));
  };
  let isReaderGone = false;
  source.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (!isReaderGone) receive("SIGPIPE");
    isReaderGone = true;
  });
  return {
    signal: () => {
      watch();
      return controller.signal;
    },
    next: () => {
      watch();
      return new Promise((resolve) => waiters.push(resolve));
    },
  };
}

/** What the process should end with when it was interrupted: the code that a shell gives to a program ended by that signal. */
export function exitCodeOfInterruption(interruption: Interruption): typeof exitCodes.cancelled | typeof exitCodes.readerGone {
  return interruption === "SIGPIPE" ? exitCodes.readerGone : exitCodes.cancelled;
}
