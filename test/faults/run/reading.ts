import type { InvocationRecord } from "@longshore/protocol";
import { setTimeout as delay } from "node:timers/promises";
import type { HarnessClock } from "../harness-clock.ts";
import type { HistoryWriter } from "../history-file.ts";
import type { FaultyBroker } from "./fleet.ts";
import { briefAnswer } from "./actor.ts";
import { ask, documentOf, type HttpAnswer } from "./http.ts";
import type { Tenant } from "./tenants.ts";

export interface ReadingOptions {
  readonly brokers: readonly Pick<FaultyBroker, "brokerId" | "url">[];
  readonly history: HistoryWriter;
  readonly clock: HarnessClock;
  readonly tenants: readonly Tenant[];
  /** Whose an invocation is. */
  readonly tenantOf: (invocationId: string) => Tenant;
}

const atOnce = 16;
const patienceMs = 10_000;
const againAfterMs = 1_000;
const mostForeign = 100;

/** Waits until all of these have their records, at most until then (harness clock); resolves with those that have none. */
export async function untilEnded(ids: readonly string[], untilMs: number, options: ReadingOptions): Promise<string[]> {
  const { brokers, clock } = options;
  let pending = [...ids];
  for (;;) {
    const ended = await inTurns(pending, async (id, index) => (await recordOf(id, brokers[index % brokers.length]?.url ?? "", options.tenantOf(id))) !== undefined);
    pending = pending.filter((_, index) => ended[index] !== true);
    if (pending.length === 0 || clock.nowMs() > untilMs) return pending;
    await delay(againAfterMs);
  }
}

/** Reads the record of each through every broker, with its answer through one of them, and writes down what was found. */
export async function readRecords(ids: readonly string[], options: ReadingOptions): Promise<void> {
  await inTurns(ids, async (invocationId) => {
    const [first] = options.brokers;
    const tenant = options.tenantOf(invocationId);
    let isFirst = true;
    for (const { brokerId, url } of options.brokers) {
      const record = await recordOf(invocationId, url, tenant);
      if (record === undefined) options.history.write({ event: "record_absent", invocationId, readFrom: brokerId });
      else writeRecord(record, brokerId, record.result.outcome === "succeeded" ? await answerOf(invocationId, first?.url ?? "", tenant) : undefined, isFirst, options);
      isFirst = false;
    }
  });
}

function writeRecord(record: InvocationRecord, readFrom: string, output: string | undefined, isFirst: boolean, { history, clock, tenants, tenantOf }: ReadingOptions): void {
  const { invocationId, result, attempt, agentId, past = [], finishedAt, timings } = record;
  for (const { attempt: number, endedAt, result: { outcome } } of isFirst ? past : []) history.write({ event: "attempt_ended", atMs: clock.ofDate(endedAt), invocationId, attempt: number, outcome });
  history.write({
    event: "record",
    invocationId,
    readFrom,
    outcome: result.outcome,
    attempt,
    ...(result.error !== undefined && { reason: result.error.reason }),
    ...(agentId !== undefined && { agentId }),
    ...(output !== undefined && { output }),
    ...(result.outcome !== "succeeded" && { message: `${result.message ?? ""} ${result.stderrTail ?? ""}`.trim() }),
    finishedMs: clock.ofDate(finishedAt),
    timings: Object.fromEntries(Object.entries(timings).filter((entry): entry is [string, number] => entry[1] !== undefined)),
  });
  const seen = markersIn(`${JSON.stringify(record)} ${output ?? ""}`, tenants);
  if (seen.length > 0) history.write({ event: "markers_seen", tenantId: tenantOf(invocationId).tenantId, where: "record and answer", markers: seen, invocationId });
}

/** Reads what each tenant is shown in lists, and asks for what is the others', and writes down whose markers are in the answers. */
export async function readAsOthers(ids: readonly string[], { brokers, history, tenants, tenantOf }: ReadingOptions): Promise<void> {
  const url = brokers[0]?.url ?? "";
  for (const tenant of tenants) {
    const foreign = ids.filter((id) => tenantOf(id) !== tenant).slice(0, mostForeign);
    const paths = ["/v1/functions", "/v1/invocations?state=finished", "/v1/dead-letters", ...foreign.flatMap((id) => [`/v1/invocations/${id}`, `/v1/invocations/${id}/result`])];
    const answers = await inTurns(paths, (path) => get(`${url}${path}`, tenant).then(({ text }) => text, () => ""));
    history.write({ event: "markers_seen", tenantId: tenant.tenantId, where: "lists and what is others'", markers: markersIn(answers.join(" "), tenants) });
  }
}

const markersIn = (text: string, tenants: readonly Tenant[]) => tenants.map(({ marker }) => marker).filter((marker) => text.includes(marker));

function get(url: string, { headers }: Tenant): Promise<HttpAnswer> {
  return ask({ method: "GET", url, headers, patienceMs });
}

/** Undefined where there is none yet, or the broker does not answer. */
async function recordOf(invocationId: string, url: string, tenant: Tenant): Promise<InvocationRecord | undefined> {
  const answer = await get(`${url}/v1/invocations/${invocationId}`, tenant).catch(() => undefined);
  return answer === undefined ? undefined : (documentOf(answer)["record"] as InvocationRecord | undefined);
}

/** What each broker answers of it, for people. */
export async function whatIsKnown(invocationId: string, { brokers, tenantOf }: ReadingOptions): Promise<string> {
  const answers = await Promise.all(brokers.map(({ url }) => get(`${url}/v1/invocations/${invocationId}`, tenantOf(invocationId)).then(({ status, text }) => `${status} ${text.trim()}`, String)));
  return answers.join("; ");
}

async function answerOf(invocationId: string, url: string, tenant: Tenant): Promise<string | undefined> {
  const answer = await get(`${url}/v1/invocations/${invocationId}/result`, tenant).catch(() => undefined);
  return answer?.status === 200 ? briefAnswer(answer.text) : undefined;
}

/** So many at a time, in their order. */
async function inTurns<Item, Result>(items: readonly Item[], act: (item: Item, index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const turn = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await act(items[index] as Item, index);
  };
  await Promise.all(Array.from({ length: atOnce }, turn));
  return results;
}
