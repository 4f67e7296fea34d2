import { type InvocationId, type InvocationRecord, type InvocationView, LongshoreError, type PendingInvocation, type TenantId } from "@longshore/protocol";
import type { RecordStore } from "../bus/bus.ts";
import type { Queue } from "../queue/queue.ts";
import { type Inflight, inflightView } from "./inflight.ts";
import type { InflightElsewhere } from "./inflight-elsewhere.ts";
import { readRecord, type StoredRecord } from "./records.ts";

export interface InvocationsOptions {
  readonly inflight: Inflight;
  readonly elsewhere: InflightElsewhere;
  readonly records: RecordStore;
  readonly queue: Pick<Queue, "find" | "whenEnded" | "cancel" | "answerOf">;
}

/** Invocations by their id, wherever they are: under way here, ended, under way on another broker. */
export class Invocations {
  readonly #options: InvocationsOptions;

  constructor(options: InvocationsOptions) {
    this.#options = options;
  }

  /** State, or terminal record; of an accepted one after at most `waitMs` for its end. Throws `invocation_not_found`, also for another tenant's. */
  async view(tenantId: TenantId, invocationId: InvocationId, waitMs = 0): Promise<InvocationView> {
    const found = await this.#find(tenantId, invocationId, waitMs);
    return "record" in found ? { state: "finished", record: found.record } : found;
  }

  /** Cancels it wherever it is; one that has ended stays as it is. Throws `invocation_not_found`. */
  async cancel(tenantId: TenantId, invocationId: InvocationId): Promise<void> {
    const { inflight, elsewhere, records, queue } = this.#options;
    const here = inflight.get(tenantId, invocationId);
    if (here !== undefined) return here.cancelById();
    if ((await readRecord(records, tenantId, invocationId)) !== undefined) return;
    if (await queue.cancel(tenantId, invocationId)) return;
    if (await elsewhere.cancel(tenantId, invocationId)) return;
    if ((await readRecord(records, tenantId, invocationId)) === undefined) throw notFound(invocationId);
  }

  /** Record and answer, whole or in parts. Throws `still_running`, `result_not_kept`, `invocation_not_found`. */
  async result(tenantId: TenantId, invocationId: InvocationId): Promise<{ readonly record: InvocationRecord; readonly body: Uint8Array | AsyncIterable<Uint8Array> }> {
    const found = await this.#find(tenantId, invocationId, 0);
    if (!("record" in found)) throw new LongshoreError("still_running", `Cannot read the result of invocation ${invocationId}: it is ${found.state}`, { retryAfterMs: 1_000 });
    if (found.record.resultKept) return { record: found.record, body: this.#options.queue.answerOf(tenantId, found) };
    throw new LongshoreError("result_not_kept", `Cannot read the result of invocation ${invocationId}: its ${found.record.resultBytes} bytes were not kept`);
  }

  async #find(tenantId: TenantId, invocationId: InvocationId, waitMs: number): Promise<PendingInvocation | StoredRecord> {
    const { inflight, elsewhere, records, queue } = this.#options;
    const here = inflight.get(tenantId, invocationId);
    if (here !== undefined) return inflightView(here);
    const stored = await readRecord(records, tenantId, invocationId);
    if (stored !== undefined) return stored;
    const accepted = await (waitMs > 0 ? queue.whenEnded(tenantId, invocationId, waitMs) : queue.find(tenantId, invocationId));
    if (accepted !== undefined) return accepted;
    const there = await elsewhere.find(tenantId, invocationId);
    if (there !== undefined) return there;
    // It may have ended on that other broker between the two questions.
    const late = await readRecord(records, tenantId, invocationId);
    if (late === undefined) throw notFound(invocationId);
    return late;
  }
}

function notFound(invocationId: string): LongshoreError {
  return new LongshoreError("invocation_not_found", `Cannot find invocation ${invocationId}: it is not known here, or longer ago than records are kept`);
}
