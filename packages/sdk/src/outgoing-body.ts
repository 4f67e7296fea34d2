import { BodyWriter, type Frame, LongshoreError } from "@longshore/protocol";

/** A request body on its way out: in numbered chunks, no more of them than the broker has granted. */
export class OutgoingBody {
  readonly #writer: BodyWriter;
  #source: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Lets the pump go on: what was written has been sent, or nobody wants more. */
  #goOn: (() => void) | undefined;

  constructor(send: (frame: Frame) => void) {
    this.#writer = new BodyWriter(
      (sequence, body) => send({ kind: "data", sequence, body }),
      (sequenceCount) => send({ kind: "end", head: { sequenceCount } }),
    );
    this.#writer.onDrain = () => this.#goOn?.();
  }

  /** Sends all of it. Rejects with what the stream failed with, or `bad_schema` for one that does not give bytes. */
  async send(body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    if (body instanceof Uint8Array) {
      this.#writer.write(body);
      this.#writer.end();
    } else {
      this.#source = body.getReader();
      await this.#pump(this.#source);
    }
  }

  /** The broker has room for that many more bytes. */
  grant(bytes: number): void {
    this.#writer.grant(bytes);
  }

  /** Drops what waits and lets go of the stream. Idempotent. */
  abandon(): void {
    if (this.#writer.isClosed) return;
    this.#writer.abandon();
    this.#source?.cancel().catch(() => undefined); // How its maker ends it is no concern of the call.
    this.#goOn?.();
  }

  async #pump(source: ReadableStreamDefaultReader<unknown>): Promise<void> {
    for (;;) {
      const { done, value } = await source.read();
      if (this.#writer.isClosed) return;
      if (done) return this.#writer.end();
      if (!(value instanceof Uint8Array)) throw notBytes(value);
      if (!this.#writer.write(value)) await new Promise<void>((resolve) => (this.#goOn = resolve));
    }
  }
}

function notBytes(value: unknown): LongshoreError {
  return new LongshoreError("bad_schema", `Cannot send body: its stream gives ${typeof value} where Uint8Array is expected`, { field: "body" });
}
