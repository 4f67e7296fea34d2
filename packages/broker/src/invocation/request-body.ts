import { type BodyWriter, chunkBytes } from "@longshore/protocol";

/** What is kept while no attempt takes it, or while it may have to be sent again. */
const maxKeptBytes = 512 * 1024;
const nothing = new Uint8Array(0);

/**
 * The request body of one invocation, across its attempts: what came is kept until an instance is known to read it, so that another
 * agent can be sent the same.
 *
 * Invariants: Q1 each attempt is sent every byte from the first, or the body says that it cannot be replayed. Q2 what is kept is
 * bounded: beyond the bound the producer pauses until an attempt takes it. Q3 a producer that was told to pause is told to go on, by whichever
 * attempt takes what it brought.
 */
export class RequestBody {
  readonly #first: Uint8Array;
  readonly #hasMore: boolean;
  #kept: Uint8Array[] | undefined = [];
  #keptBytes = 0;
  /** Until an instance reads, the producer's pauses bound what is kept. */
  #maxKeptBytes = Number.POSITIVE_INFINITY;
  #isEnded: boolean;
  #writer: BodyWriter | undefined;
  /** The producer was told to pause. */
  #isHeld = false;
  /** Called when the producer may go on. */
  onDrain: (() => void) | undefined;

  /** `first` is the whole when `more` is false. */
  constructor(first: Uint8Array, more: boolean) {
    this.#first = first.length <= chunkBytes ? first : nothing;
    this.#hasMore = more || first.length > chunkBytes;
    this.#isEnded = !more;
    if (first.length > chunkBytes) this.#keep(first);
  }

  /** What goes with an order, and whether more follows. */
  get opening(): { readonly body: Uint8Array; readonly more: boolean } {
    return { body: this.#first, more: this.#hasMore };
  }

  /** True while every byte that came is still there. */
  get canReplay(): boolean {
    return this.#kept !== undefined;
  }

  /** An attempt was sent {@link opening}: it is sent the rest. */
  attach(writer: BodyWriter): void {
    this.#writer = writer;
    writer.onDrain = () => this.#release();
    for (const bytes of this.#kept ?? []) writer.write(bytes);
    if (this.#isEnded) writer.end();
    if (writer.queuedBytes === 0) this.#release(); // All that was kept fits the window: the writer never had to wait.
  }

  /** The attempt is over. */
  detach(): void {
    this.#writer?.abandon();
    this.#writer = undefined;
  }

  /** A further part; false when the producer should pause until {@link onDrain}. */
  write(bytes: Uint8Array): boolean {
    if (this.#isEnded) return true;
    this.#keep(bytes);
    const hasRoom = this.#writer === undefined ? this.#keptBytes < maxKeptBytes : this.#writer.write(bytes); // Q2
    this.#isHeld = !hasRoom;
    return hasRoom;
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#writer?.end();
  }

  /** The instance reads: what was sent need not be kept, unless `forReplay` and it is little. */
  began(forReplay: boolean): void {
    this.#maxKeptBytes = forReplay ? maxKeptBytes : 0;
    if (this.#keptBytes > this.#maxKeptBytes || !forReplay) this.#kept = undefined;
  }

  #release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.onDrain?.();
  }

  #keep(bytes: Uint8Array): void {
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > this.#maxKeptBytes) this.#kept = undefined;
    this.#kept?.push(bytes);
  }
}
