import { type AnswerEnd, type AnswerHead, LongshoreError, windowBytes } from "@longshore/protocol";
import type { AnswerFront, InvocationHandle, InvocationRequest, Invoker } from "../request.ts";

/** What a scripted function does with an invocation. It may return a promise; what it throws fails the invocation. */
export type Script = (invocation: FakeInvocation) => void | Promise<void>;

/** An {@link Invoker} that runs scripts in place of images. */
export interface FakeInvoker extends Invoker {
  /** Every invocation so far, oldest first. */
  readonly invocations: readonly FakeInvocation[];
  /** Resolves with the first invocation that passes, once there is one. */
  seen(wanted?: (invocation: FakeInvocation) => boolean): Promise<FakeInvocation>;
}

/** Makes an invoker whose functions are the given scripts, by name; others are `function_not_found`. */
export function createFakeInvoker(scripts: Readonly<Record<string, Script>>): FakeInvoker {
  const invocations: FakeInvocation[] = [];
  const waiting = new Set<(invocation: FakeInvocation) => void>();
  return {
    invocations,
    invoke(request, front) {
      const script = scripts[request.functionName];
      const invocation = new FakeInvocation(request, front);
      invocations.push(invocation);
      for (const tell of waiting) tell(invocation);
      if (script === undefined) invocation.fail(new LongshoreError("function_not_found", `Cannot invoke "${request.functionName}": no such function`, { phase: "admission" }));
      else run(script, invocation);
      return invocation;
    },
    seen(wanted = () => true) {
      const known = invocations.find(wanted);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => {
        const tell = (invocation: FakeInvocation): void => {
          if (wanted(invocation) && waiting.delete(tell)) resolve(invocation);
        };
        waiting.add(tell);
      });
    },
  };
}

function run(script: Script, invocation: FakeInvocation): void {
  const fail = (error: unknown): void => invocation.fail(LongshoreError.from(error, "Cannot run script"));
  try {
    void Promise.resolve(script(invocation)).catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** One invocation: for the script a request to read and an answer to give, under the same windows as the real path. */
export class FakeInvocation implements InvocationHandle {
  readonly request: InvocationRequest;
  readonly #front: AnswerFront;
  readonly #chunks: Uint8Array[];
  #chunksBytes = 0;
  #isRequestOver: boolean;
  #isFrontPaused = false;
  #window = windowBytes;
  #isOver = false;
  #changed: (() => void)[] = [];
  /** Why it was cancelled, if it was. */
  cancelled: "abandoned" | "requested" | undefined;
  /** How many parts of the request body came after the first. */
  writes = 0;

  constructor(request: InvocationRequest, front: AnswerFront) {
    this.request = request;
    this.#front = front;
    this.#chunks = request.body.length > 0 ? [request.body] : [];
    this.#isRequestOver = !request.more;
  }

  /** True once the answer was given. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The next part of the request body; undefined after the last. */
  async read(): Promise<Uint8Array | undefined> {
    await this.#until(() => this.#chunks.length > 0 || this.#isRequestOver || this.cancelled !== undefined);
    const chunk = this.#chunks.shift();
    this.#chunksBytes -= chunk?.length ?? 0;
    if (this.#isFrontPaused && this.#chunksBytes === 0) {
      this.#isFrontPaused = false;
      this.#front.drain();
    }
    return chunk;
  }

  /** The whole request body. */
  async readAll(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Resolves with the reason once it is cancelled. */
  async whenCancelled(): Promise<"abandoned" | "requested"> {
    await this.#until(() => this.cancelled !== undefined);
    return this.cancelled ?? "abandoned";
  }

  complete(body: Uint8Array | string = "", head: Partial<AnswerHead> = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    this.#front.complete({ complete: true, headers: [], result: { outcome: "succeeded" }, ...head }, bytes);
  }

  head(head: Partial<AnswerHead> = {}): void {
    this.#front.head({ complete: false, headers: [], ...head });
  }

  /** Sends a part of the answer; resolves when the window has room for more. */
  async send(bytes: Uint8Array): Promise<void> {
    this.#window -= bytes.length;
    this.#front.data(bytes);
    await this.#until(() => this.#window > 0 || this.cancelled !== undefined);
  }

  end(end: Partial<Omit<AnswerEnd, "sequenceCount">> = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#front.end({ result: { outcome: "succeeded" }, ...end });
  }

  fail(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#front.fail(error);
  }

  write(bytes: Uint8Array): boolean {
    this.writes += 1;
    this.#chunks.push(bytes);
    this.#chunksBytes += bytes.length;
    this.#isFrontPaused = this.#chunksBytes >= windowBytes;
    this.#tell();
    return !this.#isFrontPaused;
  }

  endRequest(): void {
    this.#isRequestOver = true;
    this.#tell();
  }

  consumed(byteLength: number): void {
    this.#window += byteLength;
    this.#tell();
  }

  cancel(reason: "abandoned" | "requested"): void {
    this.cancelled = reason;
    this.#tell();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #tell(): void {
    const told = this.#changed;
    this.#changed = [];
    for (const resolve of told) resolve();
  }
}
