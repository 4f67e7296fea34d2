import type { Duplex } from "node:stream";
import type { Attachment, AttachmentHandlers } from "./engine.ts";
import { createFrameReader } from "./stream-frames.ts";

/**
 * A container's streams over the connection that an engine gave up for them.
 *
 * 1. Nothing is read before there are handlers, so nothing that a container wrote early is lost.
 * 2. `onEnd` comes once per set of handlers, after the last byte; with an error unless the engine ended the stream between frames.
 * 3. After `close` no handler is called.
 * 4. No buffer of ours: unread output stays in the socket and blocks the container; unsent input is what `write` said no to.
 *
 * A later `listen` takes over from the one before.
 */
export function createAttachment(socket: Duplex): Attachment {
  let handlers: AttachmentHandlers | undefined;
  let isPaused = false;
  let isClosed = false;
  let ending: { readonly error: Error | undefined } | undefined;

  const frames = createFrameReader({
    onStdout: (bytes) => handlers?.onStdout(bytes),
    onStderr: (bytes) => handlers?.onStderr(bytes),
    onEngineError: (text) => finish(new Error(`The engine failed to copy the container's output: ${text}`)),
  });

  const finish = (error?: Error) => {
    if (ending !== undefined) return;
    ending = { error };
    // The engine only half-closes: input that nobody reads any more would keep the connection open for ever.
    socket.destroy();
    if (!isClosed) handlers?.onEnd(error); // 2, 3
  };

  socket.pause(); // 1
  socket.on("data", (chunk: Uint8Array) => frames.read(chunk));
  socket.on("drain", () => handlers?.onDrain?.());
  socket.on("end", () => finish(frames.atBoundary ? undefined : new Error("The container's streams broke off")));
  socket.on("error", finish);
  socket.on("close", () => finish(new Error("The connection to the container's streams was closed")));

  const flow = () => {
    if (ending !== undefined) return;
    if (handlers === undefined || isPaused) socket.pause();
    else socket.resume();
  };

  return {
    write(bytes) {
      return !socket.writable || socket.write(bytes);
    },
    endInput() {
      if (socket.writable) socket.end();
    },
    listen(next) {
      if (isClosed) return;
      handlers = next;
      if (ending !== undefined) queueMicrotask(() => !isClosed && handlers === next && next.onEnd(ending?.error));
      else flow();
    },
    pause() {
      isPaused = true;
      flow();
    },
    resume() {
      isPaused = false;
      flow();
    },
    close() {
      isClosed = true;
      handlers = undefined;
      socket.destroy();
    },
  };
}
