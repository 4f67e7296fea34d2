import { LongshoreError } from "@longshore/protocol";
import { type Clock, pause } from "../../clock.ts";
import type { AnswerSink, ContractCall } from "../contract.ts";
import type { Connections } from "./connections.ts";
import { HttpExchange } from "./exchange.ts";

const probeEveryMs = 50;

/** Asks for a path until the answer is 2xx. Rejects with `instance_start_failed`, naming the last answer, once `signal` is aborted. */
export async function probeUntilReady(connections: Connections, path: string, clock: Clock, signal: AbortSignal): Promise<void> {
  let last = "no answer";
  while (!signal.aborted) {
    const status = await probe(connections, path, clock, signal);
    if (status !== undefined && status >= 200 && status < 300) return;
    if (status !== undefined) last = `status ${status}`;
    await pause(clock, probeEveryMs, signal);
  }
  throw new LongshoreError("instance_start_failed", `Cannot start instance: its start probe ${path} did not answer 2xx in time (${last})`, { phase: "startup" });
}

/** The status of one GET; undefined when there was no whole answer. */
function probe(connections: Connections, path: string, clock: Clock, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    const answer: AnswerSink = {
      head: (head) => {
        status = head.status;
      },
      data: () => undefined,
      requestDrained: () => undefined,
      log: () => undefined,
      end: (ending) => {
        signal.removeEventListener("abort", onAbort);
        if (ending.kind === "refused") reject(ending.error);
        else resolve(ending.kind === "finished" ? status : undefined);
      },
    };
    const exchange = new HttpExchange(connections, probeCall(path, clock), answer);
    const onAbort = () => {
      exchange.abort();
      resolve(undefined);
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function probeCall(path: string, clock: Clock): ContractCall {
  return {
    invocationId: "",
    request: { method: "GET", target: path, headers: [["User-Agent", "longshore-probe"]] },
    traceparent: undefined,
    deadlineAtMs: clock.wallMs(),
    upgrade: false,
    viaUrl: true,
    body: new Uint8Array(0),
    more: false,
    bodyBytes: undefined,
    addedHeaders: [],
  };
}
