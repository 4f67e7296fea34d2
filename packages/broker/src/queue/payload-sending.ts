import { BodyWriter, type Frame, LongshoreError } from "@longshore/protocol";
import type { Clock } from "../clock.ts";

/** An agent that has taken nothing for that long is not waited for: what has become of it there, it will say, or be asked. */
const takenWithinMs = 60_000;

export interface PayloadSendingOptions {
  readonly parts: AsyncIterable<Uint8Array>;
  readonly send: (frame: Frame) => void;
  /** The payload cannot be read to its end, so that its end is not sent: nothing of the invocation can have begun. */
  readonly failed: (error: LongshoreError) => void;
  readonly clock: Pick<Clock, "after">;
}

/** A stored payload on its way to an agent: read no faster than the agent takes it. */
export class PayloadSending {
  readonly #options: PayloadSendingOptions;
  readonly #writer: BodyWriter;
  #goOn: (() => void) | undefined;

  constructor(options: PayloadSendingOptions) {
    const { send } = options;
    this.#options = options;
    this.#writer = new BodyWriter(
      (sequence, body) => send({ kind: "data", sequence, body }),
      (sequenceCount) => send({ kind: "end", head: { sequenceCount } }),
    );
    this.#writer.onDrain = () => this.#goOn?.();
  }

  start(): void {
    this.#send().catch((error: unknown) => {
      if (this.#writer.isClosed) return;
      this.stop();
      this.#options.failed(LongshoreError.from(error, "Cannot read a payload"));
    });
  }

  /** The agent has room for that many more bytes. */
  grant(bytes: number): void {
    this.#writer.grant(bytes);
  }

  /** Sends and reads nothing more. Idempotent. */
  stop(): void {
    this.#writer.abandon();
    this.#goOn?.();
  }

  async #send(): Promise<void> {
    for await (const part of this.#options.parts) {
      if (!this.#writer.isClosed && !this.#writer.write(part)) await this.#room();
      if (this.#writer.isClosed) return;
    }
    this.#writer.end();
  }

  async #room(): Promise<void> {
    const cancel = this.#options.clock.after(takenWithinMs, () => this.stop());
    await new Promise<void>((resolve) => (this.#goOn = resolve));
    cancel();
  }
}
