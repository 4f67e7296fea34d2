import { BodyCount, checkedBody } from "../body-check.ts";
import type { BodyOwner, BodyStore, BodyWriting, ListedBody, StoredBody } from "../body-store.ts";
import { bodySubject, parseBodySubject } from "../body-subjects.ts";

/** Bodies without a server, for unit tests: any number of "brokers" may share one. It keeps the contract of the real one (body-contract.ts). */
export class MemoryBodies implements BodyStore {
  /** Thrown by every operation while it is set. */
  failing: Error | undefined;
  /** What is stored, by subject; a test may change it. */
  readonly stored = new Map<string, { readonly parts: Uint8Array[]; readonly lifeMs: number; writtenAtMs: number }>();
  #count = 0;

  write(owner: BodyOwner, lifeMs: number): BodyWriting {
    this.#count += 1;
    const writing = `w${this.#count}`;
    const subject = bodySubject(owner, writing);
    const count = new BodyCount();
    return {
      write: async (bytes) => {
        await this.#begin();
        count.add(bytes);
        const known = this.stored.get(subject);
        this.stored.set(subject, { parts: [...(known?.parts ?? []), bytes.slice()], lifeMs, writtenAtMs: Date.now() });
      },
      end: async () => {
        await this.#begin();
        return { writing, byteLength: count.byteLength, sha256: count.sha256() };
      },
      abandon: async () => void this.stored.delete(subject),
    };
  }

  read(owner: BodyOwner, body: StoredBody): AsyncIterable<Uint8Array> {
    return checkedBody(this.#parts(bodySubject(owner, body.writing)), owner, body);
  }

  async remove(owner: BodyOwner, writing: string): Promise<void> {
    await this.#begin();
    this.stored.delete(bodySubject(owner, writing));
  }

  async list(): Promise<readonly ListedBody[]> {
    await this.#begin();
    return [...this.stored].flatMap(([subject, { writtenAtMs }]) => {
      const name = parseBodySubject(subject);
      return name === undefined ? [] : [{ ...name, writtenAtMs }];
    });
  }

  async *#parts(subject: string): AsyncGenerator<Uint8Array, void> {
    await this.#begin();
    for (const part of this.stored.get(subject)?.parts ?? []) yield part;
  }

  /** As far away as a server: whatever else runs may come in between. */
  async #begin(): Promise<void> {
    await Promise.resolve();
    if (this.failing !== undefined) throw this.failing;
  }
}
