import { setTimeout as delay } from "node:timers/promises";
import type { FunctionName, LogLine, TenantId } from "@longshore/protocol";
import type { BrokerParts } from "../http/handler.ts";

const tailBytes = 4096;
/** So many lines fill the tail, whatever they say. */
const tailLines = 1000;
/**
 * What a program wrote comes to the agent by the engine, on another way than its answer, and nothing says that all of it has come: it
 * counts as all when nothing was added for a moment.
 */
const quietMs = 100;
const settleMs = 1_000;

/** One run, as its log tells of it. */
export interface LoggedRun {
  readonly tenantId: TenantId;
  readonly invocationId: string;
  readonly functionName: FunctionName;
  readonly agentId: string | undefined;
  readonly revision: number;
  readonly memoryBytes: number;
  readonly runMs: number | undefined;
}

/** The end of a run's log in AWS's form, base64: the last 4 KiB. */
export async function readLogTail(logs: BrokerParts["logs"], run: LoggedRun, signal: AbortSignal): Promise<string> {
  const { invocationId: id } = run;
  const lines = (await settledLines(logs, run, signal)).map(({ line }) => line);
  const duration = run.runMs === undefined ? "" : `Duration: ${run.runMs.toFixed(2)} ms\t`;
  const text = [`START RequestId: ${id} Version: ${run.revision}`, ...lines, `END RequestId: ${id}`, `REPORT RequestId: ${id}\t${duration}Memory Size: ${Math.floor(run.memoryBytes / 2 ** 20)} MB`, ""].join("\n");
  return Buffer.from(text).subarray(-tailBytes).toString("base64");
}

async function settledLines(logs: BrokerParts["logs"], run: LoggedRun, signal: AbortSignal): Promise<LogLine[]> {
  const { tenantId, invocationId, functionName, agentId } = run;
  const read = async () => {
    const kept: LogLine[] = [];
    for await (const line of await logs.open(tenantId, { invocationId, functionName, agentId, tail: tailLines, follow: false }, signal)) kept.push(line);
    return kept;
  };
  let lines = await read();
  for (let waitedMs = 0; waitedMs < settleMs; waitedMs += quietMs) {
    await delay(quietMs, undefined, { signal });
    const later = await read();
    if (later.length > 0 && later.length === lines.length && later.at(-1)?.at === lines.at(-1)?.at) return later;
    lines = later;
  }
  return lines;
}
