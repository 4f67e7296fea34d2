import { LongshoreError } from "@longshore/protocol";
import type { Bus } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";
import type { CredentialBook } from "../registry/credentials.ts";
import { functionNotFound, type Registry } from "../registry/registry.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { Roster } from "../roster/roster.ts";
import type { Tracing } from "../traces/tracing.ts";
import { Backlog } from "./backlog.ts";
import type { Closing } from "./closing.ts";
import { Inflight } from "./inflight.ts";
import { Invocation, type InvocationContext } from "./invocation.ts";
import { defaultInvocationLimits, type InvocationLimits } from "./limits.ts";
import type { AnswerFront, InvocationHandle, InvocationRequest, Invoker } from "./request.ts";

export interface DispatcherOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly registry: Pick<Registry, "find">;
  readonly roster: Roster;
  readonly credentials: CredentialBook;
  readonly limits?: Partial<InvocationLimits>;
  /** Absent: traces are off. */
  readonly tracing?: Pick<Tracing, "enter"> | undefined;
  /** Told of every invocation that is over, once its caller has been answered. */
  readonly finished: (closing: Closing) => void;
}

/** An agent that was heard within that time is there: one heartbeat may be late. */
const freshMs = 7_500;

/** The invocation path of a broker: admits, places, sends, relays, ends. */
export class Dispatcher implements Invoker {
  readonly inflight = new Inflight();
  readonly #options: DispatcherOptions;
  readonly #context: InvocationContext;
  readonly #backlog: Backlog;
  readonly #byAgent = new Map<AgentEntry, Set<Invocation>>();
  readonly #whenIdle = new Set<() => void>();
  #isClosed = false;

  constructor(options: DispatcherOptions) {
    const { bus, clock, registry, roster, credentials } = options;
    const limits = { ...defaultInvocationLimits, ...options.limits };
    this.#options = options;
    this.#backlog = new Backlog(clock, limits.backlogPerFunction);
    this.#context = {
      bus,
      clock,
      registry,
      credentials,
      placement: roster.placement,
      backlog: this.#backlog,
      limits,
      sent: (agent, invocation) => this.#sent(agent, invocation),
      unsent: (agent, invocation) => void this.#byAgent.get(agent)?.delete(invocation),
      isFresh: (agent) => clock.nowMs() - agent.lastHeardMs < freshMs,
      finished: (invocation, closing) => this.#finished(invocation, closing),
    };
    roster.observe({
      heard: () => this.#backlog.capacityChanged(),
      changed: () => this.#backlog.capacityChanged(),
      lost: (agent, incarnation) => this.#agentLost(agent, incarnation),
      gone: (agent) => void this.#byAgent.delete(agent),
    });
  }

  /** How many wait for a slot, and how many are with an agent. */
  get load(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.#backlog.size, running: this.inflight.size - this.#backlog.size };
  }

  invoke(request: InvocationRequest, front: AnswerFront): InvocationHandle {
    const { tenantId, functionName, invocationId } = request;
    if (this.#isClosed) return refuse(front, draining(functionName));
    const revision = this.#options.registry.find(tenantId, functionName);
    if (revision === undefined) return refuse(front, functionNotFound(functionName));
    const invocation = new Invocation(this.#context, this.#traced(request), front, revision);
    if (!this.inflight.add(invocation)) {
      return refuse(front, new LongshoreError("invocation_exists", `Cannot invoke "${functionName}": invocation ${invocationId} is under way`, { phase: "admission", field: "invocationId" }));
    }
    invocation.begin();
    return invocation;
  }

  /** Resolves when nothing is under way, or after that time. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.inflight.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(deadlineMs, resolve);
    this.#whenIdle.add(resolve);
    await promise;
    cancel();
    this.#whenIdle.delete(resolve);
  }

  /** Takes nothing new; what is under way ends here, and goes on at its agents. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const invocation of [...this.inflight]) invocation.leaveToOthers(draining(invocation.request.functionName));
  }

  #traced(request: InvocationRequest): InvocationRequest {
    const { tracing } = this.#options;
    return tracing === undefined ? request : { ...request, trace: tracing.enter(request.request.headers) };
  }

  #sent(agent: AgentEntry, invocation: Invocation): void {
    const invocations = this.#byAgent.get(agent);
    if (invocations === undefined) this.#byAgent.set(agent, new Set([invocation]));
    else invocations.add(invocation);
  }

  #agentLost(agent: AgentEntry, incarnation: string): void {
    for (const invocation of [...(this.#byAgent.get(agent) ?? [])]) invocation.agentLost(incarnation);
  }

  #finished(invocation: Invocation, closing: Closing): void {
    this.inflight.remove(invocation);
    this.#options.finished(closing);
    if (this.inflight.size === 0) for (const resolve of this.#whenIdle) resolve();
  }
}

const over: InvocationHandle = { write: () => true, endRequest: () => undefined, consumed: () => undefined, cancel: () => undefined };

function refuse(front: AnswerFront, error: LongshoreError): InvocationHandle {
  front.fail(error);
  return over;
}

function draining(functionName: string): LongshoreError {
  return new LongshoreError("broker_draining", `Cannot go on with "${functionName}": this broker is shutting down`, { retryAfterMs: 1_000 });
}
