import type { HeaderList, InvocationRecord, InvocationTrace, TenantId } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { callersTrace } from "./traced-headers.ts";
import { type Span, spansOf } from "./spans.ts";

/** Where spans go. */
export interface SpanOutlet {
  /** Takes a span; it never waits, and is dropped where too many wait to be sent. */
  add(span: Span): void;
  /** What became of spans so far. */
  readonly counts: SpanCounts;
  /** Sends what waits, for a moment at most. */
  close(): Promise<void>;
}

/** Spans since the broker began; what was added and is in neither of the others waits, or was dropped. */
export interface SpanCounts {
  readonly added: number;
  readonly exported: number;
  readonly failed: number;
}

export interface TracingOptions {
  readonly outlet: SpanOutlet;
  /** Whether a trace that begins here is to be recorded, by its id. */
  readonly isSampled: (traceId: string) => boolean;
  /** That many random bytes as hexadecimal digits. */
  readonly random?: (byteLength: number) => string;
}

/**
 * The traces of a broker's invocations. A caller that has a trace decides whether it is recorded; others get one. Nothing of it is on the way of
 * a call but two random numbers and a header: spans are made from the record, once the caller has been answered.
 */
export class Tracing {
  readonly #options: TracingOptions;
  readonly #random: (byteLength: number) => string;

  constructor(options: TracingOptions) {
    this.#options = options;
    this.#random = options.random ?? ((byteLength) => randomBytes(byteLength).toString("hex"));
  }

  /** What became of spans so far. */
  get counts(): SpanCounts {
    return this.#options.outlet.counts;
  }

  /** The trace of an invocation that comes with these headers. */
  enter(headers: HeaderList): InvocationTrace {
    const caller = callersTrace(headers);
    const spanId = this.#random(8);
    if (caller !== undefined) return { traceId: caller.traceId, spanId, parentId: caller.spanId, isSampled: caller.isSampled };
    const traceId = this.#random(16);
    return { traceId, spanId, isSampled: this.#options.isSampled(traceId) };
  }

  /** Its invocation has ended. */
  ended(tenantId: TenantId, record: InvocationRecord, isAccepted: boolean): void {
    const { trace } = record;
    if (trace?.isSampled !== true) return;
    for (const span of spansOf(record, trace, { tenantId, isAccepted })) this.#options.outlet.add(span);
  }

  /** Sends what waits, for a moment at most. */
  close(): Promise<void> {
    return this.#options.outlet.close();
  }
}
