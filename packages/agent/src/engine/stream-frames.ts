/** Where the parts of an engine's multiplexed stream go. */
export interface FrameHandlers {
  onStdout(bytes: Uint8Array): void;
  onStderr(bytes: Uint8Array): void;
  /** The engine itself failed while copying the container's output. */
  onEngineError(text: string): void;
}

export interface FrameReader {
  /** Takes the next bytes off the wire; payloads are handed on as they come, without waiting for a whole frame. */
  read(chunk: Uint8Array): void;
  /** True between two frames: a stream may end here and nowhere else. */
  readonly atBoundary: boolean;
}

const headerBytes = 8;
const stdoutFrame = 1;
const engineErrorFrame = 3;

/**
 * Takes apart the stream of a container without a terminal: frames of one byte that says which stream, three zero bytes, the
 * payload's length as 32 bits big-endian, the payload (the engine API's "Stream format" of `attach`).
 */
export function createFrameReader(handlers: FrameHandlers): FrameReader {
  const header = new Uint8Array(headerBytes);
  const view = new DataView(header.buffer);
  let headerFilled = 0;
  let payloadLeft = 0;

  /** Reads header bytes from `at`; says where the payload begins. */
  const readHeader = (chunk: Uint8Array, at: number): number => {
    const taken = Math.min(headerBytes - headerFilled, chunk.length - at);
    header.set(chunk.subarray(at, at + taken), headerFilled);
    headerFilled += taken;
    if (headerFilled === headerBytes) {
      payloadLeft = view.getUint32(4);
      if (payloadLeft === 0) headerFilled = 0;
    }
    return at + taken;
  };

  const readPayload = (chunk: Uint8Array, at: number): number => {
    const payload = chunk.subarray(at, at + payloadLeft);
    payloadLeft -= payload.length;
    if (payloadLeft === 0) headerFilled = 0;
    deliver(header[0] ?? 0, payload, handlers);
    return at + payload.length;
  };

  return {
    read(chunk) {
      for (let at = 0; at < chunk.length; ) at = headerFilled < headerBytes ? readHeader(chunk, at) : readPayload(chunk, at);
    },
    get atBoundary() {
      return headerFilled === 0;
    },
  };
}

function deliver(stream: number, payload: Uint8Array, handlers: FrameHandlers): void {
  if (stream === engineErrorFrame) handlers.onEngineError(Buffer.from(payload).toString("utf8"));
  else if (stream <= stdoutFrame) handlers.onStdout(payload);
  else handlers.onStderr(payload);
}
