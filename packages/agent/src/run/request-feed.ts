import type { ContractRun } from "../contracts/contract.ts";

/**
 * What of a request body follows its order, on its way to the instance. Every byte is reported as consumed exactly once: when the
 * instance has taken it, or when the invocation is over and nobody will.
 */
export class RequestFeed {
  readonly #consumed: (byteLength: number) => void;
  readonly #hasMore: boolean;
  /** What came before there was an instance. */
  readonly #early: Uint8Array[] = [];
  #hasEnded: boolean;
  #run: ContractRun | undefined;
  /** What the instance was given and has not taken yet. */
  #untakenBytes = 0;
  #receivedBytes = 0;
  #isClosed = false;

  /** `hasMore`: the order's own body is not the whole. */
  constructor(hasMore: boolean, consumed: (byteLength: number) => void) {
    this.#hasMore = hasMore;
    this.#hasEnded = !hasMore;
    this.#consumed = consumed;
  }

  /** The order's own body is all that came so far: another instance could be given the request from its beginning. */
  get isAtBeginning(): boolean {
    return this.#receivedBytes === 0;
  }

  data(bytes: Uint8Array): void {
    this.#receivedBytes += bytes.length;
    if (this.#isClosed) this.#consumed(bytes.length);
    else if (this.#run === undefined) this.#early.push(bytes);
    else this.#pass(this.#run, bytes);
  }

  end(): void {
    this.#hasEnded = true;
    this.#run?.endRequest();
  }

  /** There is an instance: what came so far goes to it. */
  connect(run: ContractRun): void {
    this.#run = run;
    for (const bytes of this.#early.splice(0)) this.#pass(run, bytes);
    if (this.#hasMore && this.#hasEnded) run.endRequest();
  }

  /** The instance did not take it; another one may. */
  disconnect(): void {
    this.#run = undefined;
  }

  /** The instance took all that it was given. */
  drained(): void {
    const bytes = this.#untakenBytes;
    this.#untakenBytes = 0;
    if (bytes > 0) this.#consumed(bytes);
  }

  /** The invocation is over: nobody wants the body any more. */
  close(): void {
    this.#isClosed = true;
    for (const bytes of this.#early.splice(0)) this.#untakenBytes += bytes.length;
    this.drained();
  }

  #pass(run: ContractRun, bytes: Uint8Array): void {
    // What was not taken at once is taken in order: what follows it is not reported before it.
    const isTaken = run.write(bytes) && this.#untakenBytes === 0;
    if (isTaken || this.#isClosed) this.#consumed(bytes.length);
    else this.#untakenBytes += bytes.length;
  }
}
