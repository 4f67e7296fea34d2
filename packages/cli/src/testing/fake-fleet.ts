import type { AgentView, FunctionView, InvocationResult } from "@longshore/protocol";
import type { Answer, CallBody, CallOptions, Fleet } from "../fleet.ts";

/** A fleet whose every method throws but those that a test gives; what was called is told by `calls`. */
export function createFakeFleet(methods: Partial<Fleet>): Fleet & { readonly isClosed: () => boolean } {
  let isClosed = false;
  const refuse = (name: string) => (): never => {
    throw new Error(`The test's fleet has no ${name}`);
  };
  const group = <T extends object>(name: string, given: T | undefined): T => new Proxy(given ?? ({} as T), { get: (target, key) => Reflect.get(target, key) ?? refuse(`${name}.${String(key)}`) });
  return {
    call: refuse("call"), enqueue: refuse("enqueue"), map: refuse("map"), deploy: refuse("deploy"), list: refuse("list"), remove: refuse("remove"),
    logs: refuse("logs"), invocation: refuse("invocation"), watch: refuse("watch"), history: refuse("history"),
    ...methods,
    agents: group("agents", methods.agents),
    sites: group("sites", methods.sites),
    invocations: group("invocations", methods.invocations),
    deadLetters: group("deadLetters", methods.deadLetters),
    registries: group("registries", methods.registries),
    awsKeys: group("awsKeys", methods.awsKeys),
    webhookSecret: group("webhookSecret", methods.webhookSecret),
    schedules: group("schedules", methods.schedules),
    queue: group("queue", methods.queue),
    records: group("records", methods.records),
    tokens: group("tokens", methods.tokens),
    close: () => void (isClosed = true),
    isClosed: () => isClosed,
  };
}

/** A function in the fake fleet: from the bytes it gets to chunks and a result. */
export type FakeFunction = (body: Uint8Array, options: CallOptions) => { readonly chunks?: readonly Uint8Array[]; readonly result?: InvocationResult; readonly status?: number; readonly body?: ReadableStream<Uint8Array> };

/** A `call` that reads the body whole and answers as the function says, from `plant/plant-1`, warm. */
export function callOf(run: FakeFunction): Fleet["call"] {
  return async (_name: string, body: CallBody, options: CallOptions): Promise<Answer> => {
    const bytes = body === undefined ? new Uint8Array() : new Uint8Array(await new Response(body as BodyInit).arrayBuffer());
    const { chunks = [], result = { outcome: "succeeded" }, status, body: stream } = run(bytes, options);
    return {
      status,
      headers: [["content-type", "text/plain"]],
      body: stream ?? new Blob(chunks as Uint8Array<ArrayBuffer>[]).stream(),
      result: Promise.resolve(result),
      siteId: "plant",
      agentId: "plant-1",
      start: "warm",
      invocationId: options.invocationId ?? "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001",
    };
  };
}

/** An agent of the site plant. */
export function agentView(overrides: Partial<AgentView> = {}): AgentView {
  return {
    agentId: "plant-1", siteId: "plant", state: "ready", cordoned: false, labels: { gpu: "true", "host/kernel": "6.1" }, lastHeardAt: "2026-11-25T12:00:00.000Z",
    capacity: { sequence: 1, memoryBytes: 2 ** 33, memoryFreeBytes: 2 ** 32, instancesMax: 64, instancesFree: 60, cedesBelow: 3, running: 1, idle: 2, held: 1 },
    functions: [],
    ...overrides,
  };
}

/** A stdio function `wordcount`. */
export function functionView(overrides: Omit<Partial<FunctionView>, "name"> & { readonly name?: string } = {}): FunctionView {
  return {
    name: "wordcount", image: "debian:12", contract: "stdio", concurrency: 1, env: {}, secretNames: [], memoryBytes: 2 ** 28, cpuMillis: 1000, timeoutMs: 30_000,
    startTimeoutMs: 60_000, stopGraceMs: 10_000, scratchBytes: 2 ** 26, network: "internet", profile: "standard", minInstances: 0, idempotent: false, retry: "default",
    placement: {}, revision: 3, revisionId: "wordcount-r3", createdAt: "2026-11-25T11:00:00.000Z",
    resolvedImage: { reference: "debian:12", digest: `sha256:${"a".repeat(64)}`, local: false, architecture: "amd64", sizeBytes: 2 ** 26, entrypoint: [], command: ["wc"], exposedPorts: [] },
    ...overrides,
  } as FunctionView;
}
