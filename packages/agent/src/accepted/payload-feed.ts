import { windowBytes } from "@longshore/protocol";
import type { RunHandle } from "../run/sink.ts";
import type { PayloadFile } from "./payload-files.ts";

/** Gives an image its payload from the disk, no faster than it takes it. */
export class PayloadFeed {
  readonly #file: PayloadFile;
  #givenBytes = 0;
  #isStopped = false;
  #hasBegun = false;
  #goOn: (() => void) | undefined;

  constructor(file: PayloadFile) {
    this.#file = file;
  }

  /** Begins, once: an instance is there. `failed`: the disk does not give it, so that the image has a part of it at most. */
  start(run: Pick<RunHandle, "data" | "endRequest">, failed: () => void): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#give(run).catch(() => {
      if (!this.#isStopped) failed();
    });
  }

  /** The image took that many bytes, or nobody will. */
  consumed(byteLength: number): void {
    this.#givenBytes -= byteLength;
    this.#goOn?.();
  }

  /** Gives nothing more, and takes it off the disk. Idempotent. */
  close(): void {
    this.#isStopped = true;
    this.#goOn?.();
    void this.#file.remove();
  }

  async #give(run: Pick<RunHandle, "data" | "endRequest">): Promise<void> {
    for await (const part of this.#file.read()) {
      while (!this.#isStopped && this.#givenBytes >= windowBytes) await new Promise<void>((resolve) => (this.#goOn = resolve));
      if (this.#isStopped) return;
      this.#givenBytes += part.length;
      run.data(part);
    }
    run.endRequest();
  }
}
