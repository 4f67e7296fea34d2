import { Socket } from "node:net";

/**
 * A connection that goes on reading when it can no longer be written to. A server may answer and close before it has read the whole
 * request: what we send then fails, at once, while its answer still waits to be read. The end of the connection is told by reading.
 */
export class InstanceSocket extends Socket {
  /** Connects; what is written before it stands is sent then. */
  static open(host: string, port: number): InstanceSocket {
    return new InstanceSocket().setNoDelay(true).connect({ host, port });
  }

  override _write(chunk: Uint8Array, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    super._write(chunk, encoding, this.#unlessOpen(done));
  }

  override _writev(chunks: { chunk: Uint8Array; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    super._writev?.(chunks, this.#unlessOpen(done));
  }

  /** Until it is open, a failure is that of connecting. */
  #unlessOpen(done: (error?: Error | null) => void): (error?: Error | null) => void {
    return (error) => done(this.readyState === "open" ? null : error);
  }
}
