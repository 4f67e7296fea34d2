import { type InvocationView, LongshoreError } from "@longshore/protocol";
import type { RecordStore } from "../bus/bus.ts";
import { type Inflight, inflightView } from "./inflight.ts";
import type { InflightElsewhere } from "./inflight-elsewhere.ts";
import { readRecord, type StoredRecord } from "./records.ts";

export interface InvocationsOptions {
  readonly inflight: Inflight;
  readonly elsewhere: InflightElsewhere;
  readonly records: RecordStore;
}

/** Invocations by their id, wherever they are: under way here, ended, under way on another broker. */
export class Invocations {
  readonly #options: InvocationsOptions;

  constructor(options: InvocationsOptions) {
    this.#options = options;
  }

  /** State, or terminal record. Throws `invocation_not_found`, also for another tenant's. */
  async view(tenantId: string, invocationId: string): Promise<InvocationView> {
    const { inflight, elsewhere, records } = this.#options;
    const here = inflight.get(tenantId, invocationId);
    if (here !== undefined) return inflightView(here);
    const stored = await readRecord(records, tenantId, invocationId);
    if (stored !== undefined) return { state: "finished", record: stored.record };
    const there = await elsewhere.find(tenantId, invocationId);
    if (there !== undefined) return there;
    // It may have ended on that other broker between the two questions.
    const late = await readRecord(records, tenantId, invocationId);
    if (late === undefined) throw notFound(invocationId);
    return { state: "finished", record: late.record };
  }

  /** Cancels it wherever it is under way; one that has ended stays as it is. Throws `invocation_not_found`. */
  async cancel(tenantId: string, invocationId: string): Promise<void> {
    const { inflight, elsewhere, records } = this.#options;
    const here = inflight.get(tenantId, invocationId);
    if (here !== undefined) return here.cancelById();
    if ((await readRecord(records, tenantId, invocationId)) !== undefined) return;
    if (await elsewhere.cancel(tenantId, invocationId)) return;
    if ((await readRecord(records, tenantId, invocationId)) === undefined) throw notFound(invocationId);
  }

  /** Record and answer. Throws `still_running`, `result_not_kept`, `invocation_not_found`. */
  async result(tenantId: string, invocationId: string): Promise<StoredRecord> {
    const view = await this.view(tenantId, invocationId);
    if (view.state !== "finished") throw new LongshoreError("still_running", `Cannot read the result of invocation ${invocationId}: it is ${view.state}`, { retryAfterMs: 1_000 });
    const stored = await readRecord(this.#options.records, tenantId, invocationId);
    if (stored === undefined) throw notFound(invocationId);
    if (stored.record.resultKept) return stored;
    throw new LongshoreError("result_not_kept", `Cannot read the result of invocation ${invocationId}: its ${stored.record.resultBytes} bytes were too many to keep`);
  }
}

function notFound(invocationId: string): LongshoreError {
  return new LongshoreError("invocation_not_found", `Cannot find invocation ${invocationId}: it is not known here, or older than 15 minutes`);
}
