import type { BrokerId, FleetEvent, InvocationRecord, TenantId } from "@longshore/protocol";
import type { SignatureVerifier } from "../../packages/broker/src/aws/signature-verifier.ts";
import { readConsole } from "../../packages/broker/src/http/console.ts";
import type { BrokerParts } from "../../packages/broker/src/http/handler.ts";
import { defaultHttpLimits } from "../../packages/broker/src/http/limits.ts";
import { createHttpServer } from "../../packages/broker/src/http/server.ts";
import { createFakeInvoker } from "../../packages/broker/src/invocation/testing/fake-invoker.ts";
import { createSocketServer } from "../../packages/broker/src/socket/server.ts";
import { agentView, functionView, recordOf } from "../../packages/console/src/testing/views.ts";
import { consoleBundle } from "./console-pages.ts";
import { silentLog } from "./silent-log.ts";

type Agent = Extract<FleetEvent, { event: "agent" }>["agent"];

/** A broker's front with imagined hosts behind it, which beat as real ones do. */
export interface ConsoleStage extends AsyncDisposable {
  readonly port: number;
  readonly agents: readonly Agent[];
  /** Changes a host, and tells of it. */
  change(agentId: string, changes: Partial<Agent>): void;
}

const beatMs = 5_000;
const ticksPerBeat = 50;
const functionNames = ["checkout", "resize", "thumbnail", "nightly-report", "ocr"];
const states = ["ready", "ready", "ready", "ready", "ready", "ready", "ready", "draining", "unhealthy", "lost"] as const;

/** Starts it with so many hosts over so many sites, each told of every five seconds, and some calls a second that end. */
export async function startConsoleStage(count: number, siteCount: number, callsPerSecond: number): Promise<ConsoleStage> {
  const agents = Array.from({ length: count }, (_, at) => imagined(at, siteCount));
  const handlers = new Set<(event: FleetEvent) => void>();
  const tell = (event: FleetEvent) => { for (const handler of handlers) handler(event); };
  const invoker = createFakeInvoker({});
  const authenticate = () => ({ tenantId: "default" as TenantId });
  const brokerId = "b-stage" as BrokerId;
  const events = {
    snapshot: () => agents.map((agent): FleetEvent => ({ event: "agent", agent })),
    subscribe: (_: TenantId, handler: (event: FleetEvent) => void) => {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
  };
  const functions = functionNames.map((name) => functionView(name));
  const parts = { functions: { page: () => ({ functions }), view: (_: TenantId, name: string) => functionView(name), revisions: (_: TenantId, name: string) => [functionView(name)] }, health: { brokerId, problem: () => undefined }, metrics: () => "" } as unknown as BrokerParts;
  const noSignatures = {} as SignatureVerifier;
  const socketServer = createSocketServer({ invoker, acceptor: { accept: () => Promise.reject(new Error("a stage accepts nothing")) }, authenticate, events, logs: { open: () => Promise.resolve([]) }, brokerId, log: silentLog });
  const server = createHttpServer({ parts, invoker, socketServer, callers: { authenticate, trustsLoopback: true, allowedOrigins: [] }, signatures: noSignatures, limits: defaultHttpLimits, console: readConsole(consoleBundle), listen: { host: "127.0.0.1", port: 0 }, log: silentLog });
  const port = await server.start();
  let tick = 0;
  const beating = setInterval(() => {
    tick += 1;
    for (let at = tick % ticksPerBeat; at < agents.length; at += ticksPerBeat) tell({ event: "agent", agent: (agents[at] = beaten(agents[at]!, tick)) });
    for (let call = 0; call < (callsPerSecond * beatMs) / 1000 / ticksPerBeat; call += 1) tell({ event: "invocation", record: ended(tick, call, agents[(tick * 31 + call) % agents.length]!) });
  }, beatMs / ticksPerBeat);
  return {
    port,
    agents,
    change(agentId, changes) {
      const at = agents.findIndex((agent) => agent.agentId === agentId);
      tell({ event: "agent", agent: (agents[at] = { ...agents[at]!, ...changes }) });
    },
    async [Symbol.asyncDispose]() {
      clearInterval(beating);
      await server.close();
    },
  };
}

function imagined(at: number, siteCount: number): Agent {
  const site = `site-${String(at % siteCount).padStart(3, "0")}`;
  const labels = { rack: `r${at % 40}`, ...(at % 7 === 0 && { gpu: "true" }) };
  return beaten(agentView(`${site}-host-${String(at).padStart(5, "0")}`, site, { state: at % 97 === 0 ? states[at % states.length]! : "ready", labels, cordoned: at % 211 === 0 }), at);
}

function beaten(agent: Agent, tick: number): Agent {
  const running = (tick * 7 + agent.agentId.length * 3 + Number(agent.agentId.slice(-3))) % 6;
  const functions = [{ revisionId: "checkout-r1", running, instances: running + 3, held: 1, freeSlots: 2 }];
  return { ...agent, lastHeardAt: new Date().toISOString(), functions, capacity: { ...agent.capacity, sequence: tick, running, idle: 2, held: 1, instancesFree: 10 - running, memoryFreeBytes: agent.capacity.memoryBytes * (1 - running / 10) } };
}

/** One in thirty fails. */
function ended(tick: number, call: number, { siteId, agentId }: Agent): InvocationRecord {
  const number = tick * 100 + call;
  const totalMs = 4 + (number % 13) ** 2 + (number % 30 === 0 ? 400 : 0);
  const endedMs = Date.now();
  return recordOf({
    invocationId: `0197a7c6-5f3e-7b12-9c58-${String(number).padStart(12, "0")}`, functionName: functionNames[number % functionNames.length]!, siteId, agentId, start: (["warm", "warm", "warm", "held", "cold"] as const)[number % 5],
    result: number % 30 === 0 ? { outcome: "failed", status: 502, exitCode: 3, message: "exited with code 3: <b>no</b> tide table" } : { outcome: "succeeded", status: 200 },
    acceptedAt: new Date(endedMs - totalMs).toISOString(), finishedAt: new Date(endedMs).toISOString(), timings: { placementMs: 0.4, startMs: 1, runMs: totalMs - 2, totalMs },
  });
}
