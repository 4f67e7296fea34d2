import type { Attachment, AttachmentHandlers } from "../engine.ts";

/** As much as is under way in either direction before its producer has to wait, as in a pipe. */
const roomBytes = 64 * 1024;

/** Both ends of a fake container's streams: what the agent holds, and what the program reads and writes. */
export interface FakeStreams {
  readonly attachment: Attachment;
  /** Hands output to whoever listens; resolves once there is room for more, so that a program that waits for it feels a pause. */
  write(stream: "stdout" | "stderr", bytes: Uint8Array): Promise<void>;
  /** Ends both outputs, after what is still to be delivered; at once with an error. */
  end(error?: Error): void;
  /** Input as it was written, until its end. */
  readonly input: AsyncIterable<Uint8Array>;
}

interface Delivery {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
  readonly taken: () => void;
}

/** Makes the two ends of one attachment. */
export function createFakeStreams(): FakeStreams {
  const output: Delivery[] = [];
  const input = createInput(() => handlers?.onDrain?.());
  let handlers: AttachmentHandlers | undefined;
  let isPaused = false;
  let isClosed = false;
  let ending: { readonly error: Error | undefined; told: boolean } | undefined;

  const flush = () => {
    while (handlers !== undefined && !isPaused && output.length > 0) {
      const { stream, bytes, taken } = output.shift() as Delivery;
      if (stream === "stdout") handlers.onStdout(bytes);
      else handlers.onStderr(bytes);
      taken();
    }
    const isOver = ending !== undefined && (ending.error !== undefined || output.length === 0);
    if (!isOver || ending === undefined || ending.told || handlers === undefined || (isPaused && ending.error === undefined)) return;
    ending.told = true;
    handlers.onEnd(ending.error);
  };
  /** As from a socket: never within the caller's own turn. */
  const flushSoon = () => queueMicrotask(flush);
  const abandon = () => {
    for (const { taken } of output.splice(0)) taken();
  };

  return {
    input: input.chunks,
    write: (stream, bytes) =>
      new Promise((taken) => {
        if (isClosed || ending !== undefined) return taken();
        output.push({ stream, bytes, taken });
        if (output.reduce((sum, each) => sum + each.bytes.length, 0) < roomBytes) taken();
        flushSoon();
      }),
    end(error) {
      if (ending !== undefined) return;
      ending = { error, told: false };
      if (error !== undefined) abandon();
      input.end();
      flushSoon();
    },
    attachment: {
      write: (bytes) => ending !== undefined || isClosed || input.push(bytes),
      endInput: () => input.end(),
      listen(next) {
        if (isClosed) return;
        handlers = next;
        if (ending !== undefined) ending.told = false;
        flushSoon();
      },
      pause() {
        isPaused = true;
      },
      resume() {
        isPaused = false;
        flushSoon();
      },
      close() {
        isClosed = true;
        handlers = undefined;
        abandon();
        input.end();
      },
    },
  };
}

function createInput(onDrain: () => void) {
  const queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let wasFull = false;
  let isEnded = false;
  let wake = () => {};

  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = queue.shift();
      if (chunk !== undefined) {
        queuedBytes -= chunk.length;
        if (wasFull && queuedBytes === 0) {
          wasFull = false;
          queueMicrotask(onDrain);
        }
        yield chunk;
      } else if (isEnded) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  return {
    chunks: { [Symbol.asyncIterator]: read },
    push(bytes: Uint8Array): boolean {
      if (isEnded) return true;
      queue.push(Uint8Array.from(bytes));
      queuedBytes += bytes.length;
      wake();
      wasFull ||= queuedBytes >= roomBytes;
      return !wasFull;
    },
    end() {
      isEnded = true;
      wake();
    },
  };
}
