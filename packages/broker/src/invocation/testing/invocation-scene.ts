import { createInvocationId, type FunctionName, type InvocationId, type RegistryCredential, type Revision, type TenantId } from "@longshore/protocol";
import type { Bus } from "../../bus/bus.ts";
import { testRevision, type RevisionWishes } from "../../registry/testing/revision.ts";
import { TestFleet } from "../../roster/testing/test-fleet.ts";
import type { Closing } from "../closing.ts";
import { Dispatcher } from "../dispatch.ts";
import type { InvocationLimits } from "../limits.ts";
import type { InvocationHandle, InvocationRequest } from "../request.ts";
import { FakeBus, type FakeExchange } from "./fake-bus.ts";
import { RecordingFront } from "./recording-front.ts";

/** One call and its caller. */
export interface Call {
  readonly front: RecordingFront;
  readonly handle: InvocationHandle;
  readonly invocationId: InvocationId;
}

/** The invocation path with everything real but time, the bus and the agents. */
export class InvocationScene {
  readonly fleet = new TestFleet();
  readonly bus = new FakeBus();
  readonly closings: Closing[] = [];
  /** By tenant and image. */
  readonly credentials = new Map<string, RegistryCredential>();
  readonly dispatcher: Dispatcher;
  readonly #revisions = new Map<string, Revision>();

  constructor(limits: Partial<InvocationLimits> = {}) {
    this.dispatcher = new Dispatcher({
      bus: this.bus as unknown as Bus,
      clock: this.fleet.clock,
      registry: { find: (tenantId, functionName) => this.#revisions.get(`${tenantId}.${functionName}`) },
      roster: this.fleet.roster,
      credentials: { find: (tenantId, reference) => this.credentials.get(`${tenantId} ${reference}`) },
      limits,
      finished: (closing) => this.closings.push(closing),
    });
  }

  get clock() {
    return this.fleet.clock;
  }

  /** A function, one call at a time and without retries unless it says so. */
  deploy({ document, ...wishes }: RevisionWishes = {}): Revision {
    const revision = testRevision({ ...wishes, document: { contract: "stdio", ...document } });
    this.#revisions.set(`${revision.tenantId}.${revision.functionName}`, revision);
    return revision;
  }

  remove({ tenantId, functionName }: Revision): void {
    this.#revisions.delete(`${tenantId}.${functionName}`);
  }

  /** An agent on which that many instances fit, of whatever function. */
  agent(name: string, instances = 1): void {
    this.fleet.ready(name, { heartbeat: { instancesMax: instances, instancesFree: instances } });
  }

  /** Its slots are free again, by its own word. */
  freed(name: string, instances = 1): void {
    this.fleet.heartbeat(name, { instancesMax: instances, instancesFree: instances });
  }

  /** Heartbeats gathered by the backlog have been looked at. */
  settle(): void {
    this.clock.advance(10);
  }

  invoke(differences: Partial<InvocationRequest> & { readonly text?: string; readonly isSlow?: boolean } = {}): Call {
    const { text = "", isSlow = false, ...request } = differences;
    const front = new RecordingFront();
    front.isSlow = isSlow;
    const invocationId = request.invocationId ?? createInvocationId();
    const handle = this.dispatcher.invoke(
      {
        invocationId,
        tenantId: "acme" as TenantId,
        functionName: "resize" as FunctionName,
        where: {},
        timeoutMs: undefined,
        detach: false,
        request: { method: "POST", target: "/", headers: [] },
        upgrade: false,
        body: Buffer.from(text),
        more: false,
        bodyBytes: undefined,
        ...request,
      },
      front,
    );
    front.handle = handle;
    return { front, handle, invocationId };
  }

  /** The exchange of a call's last attempt. */
  exchangeOf({ invocationId }: Call): FakeExchange {
    const exchange = this.bus.exchanges.findLast(({ order }) => order.invocationId === invocationId);
    if (exchange === undefined) throw new Error("no order of that invocation was sent");
    return exchange;
  }

  /** How a call ended, for the record. */
  closingOf({ invocationId }: Call): Closing {
    const closing = this.closings.find(({ request }) => request.invocationId === invocationId);
    if (closing === undefined) throw new Error("that invocation has not ended");
    return closing;
  }
}
