import type { DurabilityView } from "@longshore/protocol";
import type { ServerReport } from "./server-report.ts";

/** What a look at the bus's servers brought. */
export interface ServersSeen {
  readonly reports: readonly ServerReport[];
  /** How many that were asked gave no account of themselves. */
  readonly silent: number;
}

const unsyncedMend = "set sync_interval: always in the jetstream {} block of every nats-server of the bus and restart it, or busDurability: unsynced on the broker where acknowledged work may be lost on a power cut";
const streamMend = "the bus has to keep it on file and in the default persist_mode; or set busDurability: unsynced on the broker where acknowledged work may be lost on a power cut";
const lookMend = "name the monitoring address of every server in busMonitoring, or give the broker credentials of the system account, so that it can look";

/** Before anything was looked at. */
export const notLookedYet: DurabilityView = { state: "assumed", detail: "the broker has not looked at the servers of the bus yet" };

/** Where there is nothing to look by: a cluster of somebody else's. */
export const nothingToLookBy: DurabilityView = { state: "assumed", detail: "the broker cannot see how the servers of the bus store", mend: lookMend };

/**
 * Whether what the bus acknowledges survives a power cut. Verified only when every server that stores says that it syncs each write, and
 * one of them holds the stream, on file; not durable when one says that it does not; assumed where that cannot be told.
 */
export function durabilityOf(seen: ServersSeen): DurabilityView {
  const storing = storingServers(seen.reports);
  const unsynced = storing.filter(({ syncsAlways }) => syncsAlways === false).length;
  if (unsynced > 0) return { state: "not_durable", detail: `${unsynced} of ${storing.length} servers of the bus acknowledge writes that are not on disk yet`, mend: unsyncedMend };
  const streams = storing.flatMap(({ stream }) => stream ?? []);
  if (streams.some(({ storage }) => storage !== "file")) return { state: "not_durable", detail: "the stream of accepted work is not kept on file", mend: streamMend };
  if (streams.some(({ persistMode }) => persistMode === "async")) return { state: "not_durable", detail: "the stream of accepted work is acknowledged before it is written (persist_mode: async)", mend: streamMend };
  const known = storing.filter(({ syncsAlways }) => syncsAlways === true).length;
  const unseen = Math.max(seen.silent, clusterSizeOf(storing) - known);
  if (known === 0) return { state: "assumed", detail: "no server of the bus said how it stores", mend: lookMend };
  if (unseen > 0) return { state: "assumed", detail: `${known} of ${known + unseen} servers of the bus sync every write, the others did not say`, mend: "see that every server of the bus runs, and that busMonitoring names each one's own address" };
  if (streams.length === 0) return { state: "assumed", detail: "none of the servers that were asked holds this fleet's stream of accepted work", mend: "see that busMonitoring names the servers of this fleet's bus" };
  return { state: "verified", detail: known === 1 ? "the server of the bus syncs every write to disk before it acknowledges it" : `all ${known} servers of the bus sync every write to disk before they acknowledge it` };
}

/** What stands after a look. What was seen not to be durable stays so until it is seen to be: a server that falls silent mends nothing. */
export function nextDurability(standing: DurabilityView, seen: DurabilityView): DurabilityView {
  return standing.state === "not_durable" && seen.state === "assumed" ? standing : seen;
}

/** Whether every server that stores has spoken, by their own count: nobody else is waited for then. */
export function isEveryServerHeard(reports: readonly ServerReport[]): boolean {
  const storing = storingServers(reports);
  return storing.length > 0 && storing.length >= clusterSizeOf(storing);
}

/** Each once, however often it was asked. */
function storingServers(reports: readonly ServerReport[]): readonly ServerReport[] {
  return [...new Map(reports.filter(({ storesStreams }) => storesStreams).map((report) => [report.serverId, report])).values()];
}

const clusterSizeOf = (storing: readonly ServerReport[]) => Math.max(1, ...storing.map(({ clusterSize }) => clusterSize));
