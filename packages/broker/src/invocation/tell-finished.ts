import type { FleetEvent, InvocationRecord, TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { RecordStore } from "../bus/bus.ts";
import type { EventHub } from "../events.ts";
import { type Closing, closingLine, recordLine, recordOf } from "./closing.ts";

export interface FinishedOptions {
  readonly records: RecordStore;
  readonly hub: EventHub;
  /** Counts it; with its duration (milliseconds) where its caller waited for it. */
  readonly ended: (tenantId: TenantId, record: InvocationRecord, durationMs?: number) => void;
  readonly log: Logger;
}

const nothing = new Uint8Array(0);

/** Tells of an invocation that is over: its record, the count, one line of log, whoever watches. */
export function tellFinished({ records, hub, ended, log }: FinishedOptions): (closing: Closing) => void {
  return (closing) => {
    const { tenantId, invocationId } = closing.request;
    const record = recordOf(closing);
    if (closing.isRecorded) records.append(tenantId, invocationId, record, closing.body ?? nothing);
    ended(tenantId, record, closing.totalMs);
    if (log.isLevelEnabled("info")) log.info(closingLine(closing), "invocation finished");
    if (hub.isWatched(tenantId)) hub.tell(tenantId, invocationEvent(record));
  };
}

export interface EndedOptions extends Omit<FinishedOptions, "records"> {
  /** Counts it as an accepted one. */
  readonly queueEnded: (record: InvocationRecord, isDead: boolean) => void;
}

/** Tells of an accepted invocation whose record this broker stored: the count, one line of log, whoever watches. `isDead`: it left a dead letter. */
export function tellEnded({ hub, ended, queueEnded, log }: EndedOptions): (tenantId: TenantId, record: InvocationRecord, isDead: boolean) => void {
  return (tenantId, record, isDead) => {
    ended(tenantId, record);
    queueEnded(record, isDead);
    if (log.isLevelEnabled("info")) log.info(recordLine(tenantId, record), "invocation finished");
    if (hub.isWatched(tenantId)) hub.tell(tenantId, invocationEvent(record));
  };
}

/** The event that tells of a terminal record. */
export function invocationEvent(record: InvocationRecord): FleetEvent {
  return { event: "invocation", record };
}

/** Stores what became of invocations whose brokers are gone. */
export function storeOrphan(options: FinishedOptions, tenantId: TenantId, record: InvocationRecord, body: Uint8Array): void {
  options.records.append(tenantId, record.invocationId, record, body);
  options.ended(tenantId, record);
  options.log.info({ invocationId: record.invocationId, tenantId, functionName: record.functionName, agentId: record.agentId, outcome: record.result.outcome }, "invocation finished without its broker");
  options.hub.tell(tenantId, invocationEvent(record));
}
