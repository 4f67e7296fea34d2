import type { PayloadFile, Payloads } from "../payload-files.ts";

/** Payloads without a disk. */
export class MemoryPayloads implements Payloads {
  totalBytes = 0;
  /** Thrown by every write, or read, while it is set. */
  failing: { write?: Error; read?: Error } = {};

  create(byteLength: number): PayloadFile {
    this.totalBytes += byteLength;
    const { failing } = this;
    const parts: Uint8Array[] = [];
    let isThere = true;
    return {
      async write(bytes) {
        await Promise.resolve();
        if (failing.write !== undefined) throw failing.write;
        if (bytes.length > 0) parts.push(bytes.slice());
      },
      async *read() {
        await Promise.resolve();
        for (const part of parts) {
          if (failing.read !== undefined) throw failing.read;
          yield part;
        }
      },
      remove: () => {
        if (isThere) this.totalBytes -= byteLength;
        isThere = false;
        return Promise.resolve();
      },
    };
  }
}
