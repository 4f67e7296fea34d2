import { Agent, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { pino } from "pino";
import type { ContainerState } from "../../../engine/engine.ts";
import { ManualClock } from "../../../testing/manual-clock.ts";
import { RecordedSuspension } from "../../../testing/recorded-suspension.ts";
import { testImage, testRevision } from "../../../testing/revision.ts";
import type { Contract, ContractRun, RunningInstance } from "../../contract.ts";
import { createLambdaContract } from "../../lambda.ts";
import { type CallChanges, contractCall } from "../../testing/contract-call.ts";
import { RecordedAnswer } from "../../testing/recorded-answer.ts";
import { RuntimeApi } from "../runtime-api.ts";

/** What the Runtime API answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

const ready = new AbortController().signal;
const runtime = "/2018-06-01/runtime";

/** A lambda instance whose runtime is the test, on loopback, with the real Runtime API in front of it. */
export class LambdaScene {
  readonly clock = new ManualClock();
  readonly suspension = new RecordedSuspension();
  readonly contract: Contract;
  readonly instance: RunningInstance;
  readonly #api: RuntimeApi;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #exited = Promise.withResolvers<ContainerState>();

  private constructor(api: RuntimeApi, contract: Contract, clock: ManualClock, document: Parameters<typeof testRevision>[0]) {
    this.clock = clock;
    this.#api = api;
    this.contract = contract;
    const revision = testRevision({ name: "thumb", contract: "lambda", ...document });
    const plan = contract.plan(revision, testImage());
    this.instance = { instanceId: "i-1", revision, address: { ip: "127.0.0.1", gateway: "127.0.0.1", pid: 0 }, plan, streams: undefined, exited: this.#exited.promise, suspension: this.suspension };
  }

  /** Serves the API; nothing has asked it yet. */
  static async create(document: Parameters<typeof testRevision>[0] = {}): Promise<LambdaScene> {
    const clock = new ManualClock();
    const log = pino({ level: "silent" });
    const api = new RuntimeApi(clock, log);
    await api.start({ internal: "127.0.0.1", internet: "127.0.0.1" });
    return new LambdaScene(api, createLambdaContract({ api, clock, log, randomBytes: (length) => new Uint8Array(length) }), clock, document);
  }

  /** One whose runtime has begun; resolves with its first poll. */
  static async begun(document: Parameters<typeof testRevision>[0] = {}): Promise<{ readonly scene: LambdaScene; readonly poll: Promise<ApiAnswer> }> {
    const scene = await LambdaScene.create(document);
    const started = scene.start();
    const poll = scene.next();
    await started;
    return { scene, poll };
  }

  /** What the agent does once the program has begun. */
  start(signal: AbortSignal = ready): Promise<void> {
    return this.contract.ready(this.instance, signal);
  }

  invoke(call: CallChanges = {}): { readonly run: ContractRun; readonly answer: RecordedAnswer } {
    const answer = new RecordedAnswer();
    return { run: this.contract.invoke(this.instance, contractCall({ method: "POST", viaUrl: false, ...call }), answer), answer };
  }

  /** The container is gone. */
  exit(exitCode: number): void {
    this.#exited.resolve({ running: false, exitCode, oomKilled: false, error: undefined, ip: undefined });
  }

  /** The runtime asks for work; rejects when it gives up by the signal. */
  next(signal?: AbortSignal): Promise<ApiAnswer> {
    const answer = this.ask("GET", `${runtime}/invocation/next`, { ...(signal !== undefined && { signal }) });
    answer.catch(() => undefined); // It may be left open until the end.
    return answer;
  }

  respond(requestId: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.ask("POST", `${runtime}/invocation/${requestId}/response`, { body, headers });
  }

  fail(requestId: string, error: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.ask("POST", `${runtime}/invocation/${requestId}/error`, { body: JSON.stringify(error), headers });
  }

  /** Any request of the instance's. */
  ask(method: string, path: string, { body, headers = {}, signal }: { body?: string | Buffer; headers?: Record<string, string>; signal?: AbortSignal } = {}): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      const request = this.open(method, path, headers, signal);
      request.on("error", reject);
      request.on("response", (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
        response.on("error", reject);
      });
      request.end(body);
    });
  }

  /** A request whose body the test writes. */
  open(method: string, path: string, headers: Record<string, string> = {}, signal?: AbortSignal) {
    const request = httpRequest({ ...this.#where(), method, path, headers, agent: this.#agent, ...(signal !== undefined && { signal }) });
    request.on("error", () => undefined); // Told to whoever waits for its answer.
    return request;
  }

  /** A connection on which a poll has been sent, and nothing is read before the test does. */
  pollUnread(): Socket {
    const socket = connect(this.#where());
    socket.on("error", () => undefined);
    socket.write(`GET ${runtime}/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n`);
    return socket;
  }

  #where(): { readonly host: string; readonly port: number } {
    const [host = "", port] = (this.#api.addressOn("internet") ?? "").split(":");
    return { host, port: Number(port) };
  }

  async close(): Promise<void> {
    this.contract.release(this.instance);
    this.#agent.destroy();
    await this.#api.close();
  }
}
