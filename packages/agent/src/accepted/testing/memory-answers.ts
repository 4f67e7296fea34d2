import type { LongAnswers } from "../../journal/answer-files.ts";
import type { AttemptKey } from "../../journal/outbox.ts";

const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId}.${attempt}`;

/** Long answers without a disk; what they keep outlives the "processes" that are given them. */
export class MemoryAnswers implements LongAnswers {
  readonly kept = new Map<string, Uint8Array[]>();
  /** Writes resolve when it does. */
  writing = Promise.resolve();
  /** Thrown by every write while it is set. */
  failing: Error | undefined;

  get totalBytes(): number {
    return [...this.kept.values()].flat().reduce((sum, { length }) => sum + length, 0);
  }

  create(key: AttemptKey): ReturnType<LongAnswers["create"]> {
    const parts: Uint8Array[] = [];
    this.kept.set(nameOf(key), parts);
    return {
      write: async (bytes) => {
        parts.push(bytes);
        await this.writing;
        if (this.failing !== undefined) throw this.failing;
      },
      keep: async () => {
        if (this.failing !== undefined) throw this.failing;
      },
    };
  }

  async *read(key: AttemptKey): AsyncGenerator<Uint8Array, void> {
    const parts = this.kept.get(nameOf(key));
    if (parts === undefined) throw new Error("ENOENT");
    yield* parts;
  }

  remove(key: AttemptKey): Promise<void> {
    this.kept.delete(nameOf(key));
    return Promise.resolve();
  }
}
