import { chunkBytes } from "@longshore/protocol";
import type { InvocationHandle } from "../invocation/request.ts";

/** A whole event on its way into an invocation, as fast as that takes it. */
export class EventFeed {
  readonly #event: Uint8Array;
  #handle: InvocationHandle | undefined;
  #sent = 0;

  constructor(event: Uint8Array) {
    this.#event = event;
  }

  /** The part of an invocation's opening: a small event goes along with it. */
  get opening(): { readonly body: Uint8Array; readonly more: boolean; readonly bodyBytes: number } {
    const isSmall = this.#event.length <= chunkBytes;
    return { body: isSmall ? this.#event : new Uint8Array(0), more: !isSmall, bodyBytes: this.#event.length };
  }

  /** The invocation has begun. */
  begin(handle: InvocationHandle): void {
    this.#handle = handle;
    if (this.opening.more) this.resume();
  }

  /** Everything that was written has been sent. */
  resume(): void {
    while (this.#handle !== undefined && this.#sent < this.#event.length) {
      const part = this.#event.subarray(this.#sent, this.#sent + chunkBytes);
      this.#sent += part.length;
      const goesOn = this.#handle.write(part);
      if (this.#sent === this.#event.length) this.#handle.endRequest();
      if (!goesOn) return;
    }
  }
}
