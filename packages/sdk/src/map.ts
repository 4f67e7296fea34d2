import { type InvocationRecord, LongshoreError } from "@longshore/protocol";
import { type FleetError, InvocationError, isFleetError } from "./error.ts";
import type { HttpClient } from "./http-client.ts";
import { idOfInput } from "./derived-id.ts";
import type { InvokeBody } from "./invoke.ts";
import { ManyEndings } from "./many-endings.ts";
import { abandoned } from "./outgoing.ts";
import { Outlet } from "./outlet.ts";
import { Permits } from "./permits.ts";
import { valueOfRecord } from "./record-value.ts";
import { type EnqueueOptions, idOfView, submissionOf, submit, type SubmitOnce } from "./submission.ts";

/** How many inputs are worked on. */
export interface MapOptions extends Omit<EnqueueOptions, "invocationId" | "idempotencyKey"> {
  /** So many are accepted at once and their results not yet taken. Default 64. */
  readonly concurrency?: number | undefined;
  /**
   * Names this piece of work, so that it may be taken up again: run again under the same name with the same inputs, what was accepted
   * before is not run again, and what has ended meanwhile is told. For as long as records are kept, seven days. Default: a new name.
   */
  readonly mapId?: string | undefined;
  /** After the first that fails nothing more is submitted; what was accepted is still told. */
  readonly stopOnError?: boolean | undefined;
  /** Told after each change. */
  readonly onProgress?: ((progress: MapProgress) => void) | undefined;
  /** Ends the map, which then rejects with `caller_gone`; what was accepted goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** How far a map has come. */
export interface MapProgress {
  readonly accepted: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Of an array from the beginning; otherwise once the inputs have ended. */
  readonly total: number | undefined;
}

/** What became of one input. */
export type MapResult<Input> = MapSuccess<Input> | MapFailure<Input>;
export interface MapSuccess<Input> {
  /** The input's place among all, from 0. */
  readonly index: number;
  readonly input: Input;
  readonly invocationId: string;
  readonly record: InvocationRecord;
  /** What `invoke` would have given. */
  readonly value: unknown;
  readonly error?: undefined;
}
export interface MapFailure<Input> {
  readonly index: number;
  readonly input: Input;
  /** Absent: it was not accepted. */
  readonly invocationId?: string | undefined;
  /** Absent: it was not accepted, or its record is not known any more. */
  readonly record?: InvocationRecord | undefined;
  readonly value?: undefined;
  readonly error: FleetError;
}

export type MapInputs<Input> = Iterable<Input> | AsyncIterable<Input>;

/** Submissions and results under way at once. */
const mostRequests = 16;

/** How inputs are submitted, and looked at. */
export interface MapDoors {
  readonly http: HttpClient;
  readonly submitOnce: SubmitOnce;
}

/**
 * Invokes a function for each input and gives results in the order in which they come. Inputs are taken no faster than there is room,
 * results held no more than that: however many there are, memory is bounded. An input that fails is told and stops nothing; what would
 * meet every other input as well (no such function, no right to it, no broker when it begins) ends the map.
 */
export async function* mapInputs<Input extends InvokeBody>(doors: MapDoors, connectTimeoutMs: number, functionName: string, inputs: MapInputs<Input>, options: MapOptions): AsyncGenerator<MapResult<Input>, void> {
  const { concurrency = 64 } = options;
  if (!(Number.isInteger(concurrency) && concurrency >= 1)) throw new LongshoreError("bad_schema", `Cannot use ${concurrency} as concurrency: expected a whole number of at least 1`, { field: "concurrency" });
  const leaving = new AbortController();
  const signal = options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal]);
  const run = new MapRun<Input>(doors, connectTimeoutMs, functionName, { ...options, concurrency, signal });
  void run.feed(inputs);
  try {
    for await (const result of run.results) {
      yield result;
      run.taken();
    }
  } finally {
    leaving.abort();
  }
}

/**
 * One map under way.
 *
 * Invariants: M1 no more inputs than `concurrency` are held, from the taking of an input to the taking of its result. M2 each input
 * has one result, unless the map itself ends early. M3 results end once the inputs have and every one that was begun has its result.
 */
class MapRun<Input extends InvokeBody> {
  readonly results = new Outlet<MapResult<Input>>();
  readonly #http: HttpClient;
  readonly #submitOnce: SubmitOnce;
  readonly #connectTimeoutMs: number;
  readonly #functionName: string;
  readonly #options: MapOptions & { readonly signal: AbortSignal };
  readonly #places: Permits;
  readonly #requests = new Permits(mostRequests);
  readonly #endings: ManyEndings;
  #progress: MapProgress = { accepted: 0, succeeded: 0, failed: 0, total: undefined };
  #underWay = 0;
  #isFed = false;

  constructor({ http, submitOnce }: MapDoors, connectTimeoutMs: number, functionName: string, options: MapOptions & { readonly signal: AbortSignal }) {
    const { signal, concurrency = 64 } = options;
    this.#http = http;
    this.#submitOnce = submitOnce;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#functionName = functionName;
    this.#options = options;
    this.#places = new Permits(concurrency);
    this.#endings = new ManyEndings(http, signal);
    if (signal.aborted) this.#end(abandoned(functionName, signal));
    else signal.addEventListener("abort", () => this.#end(abandoned(functionName, signal)), { once: true });
  }

  /** Takes the inputs, one after another. */
  async feed(inputs: MapInputs<Input>): Promise<void> {
    let index = 0;
    try {
      if (Array.isArray(inputs)) this.#tell({ total: inputs.length });
      if (await this.#places.take()) {
        for await (const input of inputs) {
          if (this.#places.isClosed()) break; // It was stopped while the input was waited for.
          void this.#take(index, input);
          index += 1;
          if (!(await this.#places.take())) break; // M1
        }
      }
      if (!this.#places.isClosed()) this.#tell({ total: index });
    } catch (error) {
      this.#end(error);
    }
    this.#isFed = true;
    this.#endWhenDone();
  }

  /** A result was taken: there is room for an input. */
  taken(): void {
    this.#places.give();
  }

  async #take(index: number, input: Input): Promise<void> {
    this.#underWay += 1;
    const known: { invocationId?: string; record?: InvocationRecord } = {};
    try {
      known.invocationId = await this.#accept(index, input);
      known.record = await this.#endings.wait(known.invocationId);
      const { invocationId, record } = known;
      const value = await this.#requests.hold(() => valueOfRecord(this.#http, record, this.#options.signal));
      this.results.put({ index, input, invocationId, record, value });
      this.#tell({ succeeded: this.#progress.succeeded + 1 });
    } catch (error) {
      if (isOfInput(error)) this.#failed({ index, input, ...known, error });
      else this.#end(error);
    }
    this.#underWay -= 1;
    this.#endWhenDone();
  }

  async #accept(index: number, input: Input): Promise<string> {
    const { mapId, signal } = this.#options;
    const invocationId = mapId === undefined ? undefined : await idOfInput(this.#functionName, mapId, index);
    const submission = await submissionOf(this.#functionName, input, { ...this.#options, invocationId, idempotencyKey: undefined });
    const withinMs = () => (this.#progress.accepted > 0 ? Infinity : this.#connectTimeoutMs);
    const view = await this.#requests.hold(() => submit(this.#submitOnce, submission, { withinMs, signal }));
    this.#tell({ accepted: this.#progress.accepted + 1 });
    return idOfView(view);
  }

  #failed(failure: MapFailure<Input>): void {
    this.results.put(failure);
    if (this.#options.stopOnError === true) this.#places.close();
    this.#tell({ failed: this.#progress.failed + 1 });
  }

  #tell(change: Partial<MapProgress>): void {
    this.#progress = { ...this.#progress, ...change };
    try {
      this.#options.onProgress?.(this.#progress);
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error: unknown): void {
    this.#places.close();
    this.results.fail(error);
  }

  #endWhenDone(): void {
    if (this.#isFed && this.#underWay === 0) this.results.end(); // M3
  }
}

const reasonsOfInput: readonly string[] = ["payload_too_large", "invocation_exists", "result_not_kept", "bad_answer", "invocation_not_found"];

/** Whether an error is about one input alone. */
function isOfInput(error: unknown): error is FleetError {
  if (!isFleetError(error)) return false;
  return error instanceof InvocationError || reasonsOfInput.includes(error.reason) || (error.reason === "bad_schema" && error.field === "body");
}
