import type { AgentView, FunctionView, InvocationRecord } from "@longshore/sdk";

const mebibyte = 2 ** 20;

/** A host as a broker tells of it. */
export function agentView(agentId: string, siteId: string, changes: Partial<AgentView> & { readonly running?: number } = {}): AgentView {
  const { running = 0, ...others } = changes;
  return {
    agentId,
    siteId,
    state: "ready",
    cordoned: false,
    labels: {},
    lastHeardAt: "2026-11-28T20:00:00.000Z",
    capacity: { sequence: 1, memoryBytes: 1024 * mebibyte, memoryFreeBytes: 768 * mebibyte, instancesMax: 10, instancesFree: 7, cedesBelow: 0, running, idle: 2, held: 1 },
    functions: [],
    ...others,
  };
}

/** The terminal record of an invocation that succeeded. */
export function recordOf(changes: Partial<InvocationRecord> = {}): InvocationRecord {
  return {
    invocationId: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001",
    functionName: "hello",
    revisionId: "hello-r1",
    siteId: "plant",
    agentId: "plant-1",
    instanceId: "i-1",
    attempt: 1,
    start: "warm",
    result: { outcome: "succeeded", status: 200 },
    acceptedAt: "2026-11-28T20:00:00.000Z",
    finishedAt: "2026-11-28T20:00:00.020Z",
    timings: { placementMs: 1, startMs: 2, runMs: 15, totalMs: 20 },
    payloadBytes: 10,
    resultBytes: 20,
    resultKept: true,
    ...changes,
  };
}

/** A function as a broker tells of it. */
export function functionView(name: string, changes: Partial<FunctionView> = {}): FunctionView {
  return {
    name: name as FunctionView["name"],
    image: `registry.example/${name}:1`,
    contract: "http",
    env: {},
    memoryBytes: 256 * mebibyte,
    cpuMillis: 1000,
    timeoutMs: 30_000,
    startTimeoutMs: 60_000,
    stopGraceMs: 10_000,
    scratchBytes: 64 * mebibyte,
    network: "internet",
    profile: "standard",
    minInstances: 0,
    idempotent: false,
    retry: "default",
    concurrency: 80,
    placement: {},
    secretNames: [],
    revision: 1,
    revisionId: `${name}-r1`,
    createdAt: "2026-11-28T19:00:00.000Z",
    resolvedImage: { reference: `registry.example/${name}:1`, digest: `sha256:${"a".repeat(64)}`, local: false, architecture: "amd64", sizeBytes: 10 * mebibyte, entrypoint: [], command: ["serve"], exposedPorts: [8080] },
    ...changes,
  };
}
