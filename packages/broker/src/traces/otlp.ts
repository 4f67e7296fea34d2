import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, SamplingDecision, type SpanExporter, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace";
import type { Logger } from "pino";
import { productVersion as version } from "../version.ts";
import type { Span } from "./spans.ts";
import { type SpanCounts, type SpanOutlet, Tracing } from "./tracing.ts";

export interface OtlpOptions {
  /** Where an OpenTelemetry collector listens, as `http://host:4318`; or, with a path, where it takes traces. */
  readonly url: string;
  /** Of the traces that begin here, from 0 to 1. */
  readonly sampleRatio: number;
  readonly brokerId: string;
  readonly log: Logger;
}

/** So many spans wait at most; what comes then is dropped. */
const mostWaiting = 16_384;
const perRequest = 512;
const everyMs = 1_000;
const requestMs = 10_000;
/** A broker that ends gives what waits that long. */
const closingMs = 3_000;

/**
 * Traces that go to a collector over OTLP (HTTP, protobuf), by OpenTelemetry's own exporter, which takes headers and certificates from its usual
 * environment variables. This file, and with it OpenTelemetry, is loaded by brokers that have traces on.
 */
export function openTracing({ url, sampleRatio, brokerId, log }: OtlpOptions): Tracing {
  const sampler = new TraceIdRatioBasedSampler(sampleRatio);
  const isSampled = (traceId: string) => sampler.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  const exporter = new CountedExporter(new OTLPTraceExporter({ url: tracesAt(url), timeoutMillis: requestMs }), log);
  return new Tracing({ outlet: new OtlpOutlet(exporter, brokerId), isSampled });
}

function tracesAt(url: string): string {
  return new URL(url).pathname === "/" ? new URL("/v1/traces", url).href : url;
}

class OtlpOutlet implements SpanOutlet {
  readonly #exporter: CountedExporter;
  readonly #processor: BatchSpanProcessor;
  readonly #shared: Pick<ReadableSpan, "resource" | "instrumentationScope">;
  #added = 0;

  constructor(exporter: CountedExporter, brokerId: string) {
    this.#exporter = exporter;
    this.#processor = new BatchSpanProcessor({ exporter, maxQueueSize: mostWaiting, maxExportBatchSize: perRequest, scheduledDelayMillis: everyMs, exportTimeoutMillis: 2 * requestMs });
    const resource = resourceFromAttributes({ "service.name": "longshore-broker", "service.version": version, "service.instance.id": brokerId });
    this.#shared = { resource, instrumentationScope: { name: "longshore", version } };
  }

  get counts(): SpanCounts {
    return { added: this.#added, ...this.#exporter.counts };
  }

  add(span: Span): void {
    this.#added += 1;
    this.#processor.onEnd({ ...readableOf(span), ...this.#shared });
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, closingMs);
    await Promise.race([this.#processor.shutdown().catch(() => undefined), promise]); // What failed is counted, and logged.
    clearTimeout(timer);
  }
}

/** Counts what became of spans, and says once that they do not arrive, and once that they do again. */
class CountedExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #log: Logger;
  #exported = 0;
  #failed = 0;
  #isFailing = false;

  constructor(inner: SpanExporter, log: Logger) {
    this.#inner = inner;
    this.#log = log;
  }

  get counts(): Omit<SpanCounts, "added"> {
    return { exported: this.#exported, failed: this.#failed };
  }

  export(spans: ReadableSpan[], told: (result: ExportResult) => void): void {
    this.#inner.export(spans, (result) => {
      this.#count(spans.length, result);
      told({ code: ExportResultCode.SUCCESS }); // Nobody else is to log it.
    });
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush?.() ?? Promise.resolve();
  }

  #count(spans: number, { code, error }: ExportResult): void {
    const hasFailed = code !== ExportResultCode.SUCCESS;
    if (hasFailed) this.#failed += spans;
    else this.#exported += spans;
    if (hasFailed !== this.#isFailing) {
      if (hasFailed) this.#log.warn({ message: error?.message }, "spans cannot be sent to the collector");
      else this.#log.info("spans are sent to the collector again");
    }
    this.#isFailing = hasFailed;
  }
}

const kinds: Record<Span["kind"], SpanKind> = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL };

function readableOf({ name, kind, traceId, spanId, parentId, beginMs, endMs, attributes, error }: Span): Omit<ReadableSpan, "resource" | "instrumentationScope"> {
  const context = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  return {
    name,
    kind: kinds[kind],
    spanContext: () => context,
    ...(parentId !== undefined && { parentSpanContext: { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED, isRemote: kind === "server" || kind === "consumer" } }),
    startTime: timeOf(beginMs),
    endTime: timeOf(endMs),
    duration: timeOf(endMs - beginMs),
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes,
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds; microseconds are as fine as ours are. */
function timeOf(ms: number): HrTime {
  const microseconds = Math.round(ms * 1000);
  return [Math.floor(microseconds / 1e6), (microseconds % 1e6) * 1000];
}
