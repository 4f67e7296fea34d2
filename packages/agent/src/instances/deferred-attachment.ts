import type { Attachment, AttachmentHandlers } from "../engine/engine.ts";

/** An attachment to a container that is still being made: what is asked of it is done once it is there. */
export class DeferredAttachment implements Attachment {
  #real: Attachment | undefined;
  readonly #input: Uint8Array[] = [];
  #inputEnded = false;
  #handlers: AttachmentHandlers | undefined;
  #isPaused = false;
  #isClosed = false;

  /** The container is there: all that was asked so far happens now, in order. */
  resolve(real: Attachment): void {
    if (this.#isClosed) return real.close();
    this.#real = real;
    let hasRoom = true;
    for (const bytes of this.#input.splice(0)) hasRoom = real.write(bytes);
    if (this.#inputEnded) real.endInput();
    if (this.#isPaused) real.pause();
    if (this.#handlers === undefined) return;
    real.listen(this.#handlers);
    if (hasRoom) this.#handlers.onDrain?.();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#real !== undefined) return this.#real.write(bytes);
    this.#input.push(bytes);
    return false;
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#real?.endInput();
  }

  listen(handlers: AttachmentHandlers): void {
    this.#handlers = handlers;
    this.#real?.listen(handlers);
  }

  pause(): void {
    this.#isPaused = true;
    this.#real?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#real?.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#real?.close();
  }
}
