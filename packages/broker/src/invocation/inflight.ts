import type { InvocationId, PendingInvocation, TenantId } from "@longshore/protocol";
import type { Invocation } from "./invocation.ts";

/** The invocations under way on this broker, by tenant and id. */
export class Inflight {
  readonly #byId = new Map<string, Invocation>();

  get size(): number {
    return this.#byId.size;
  }

  /** False when one of that id is under way in that tenant. */
  add(invocation: Invocation): boolean {
    const key = keyOf(invocation.request.tenantId, invocation.request.invocationId);
    if (this.#byId.has(key)) return false;
    this.#byId.set(key, invocation);
    return true;
  }

  remove(invocation: Invocation): void {
    const key = keyOf(invocation.request.tenantId, invocation.request.invocationId);
    if (this.#byId.get(key) === invocation) this.#byId.delete(key);
  }

  get(tenantId: string, invocationId: string): Invocation | undefined {
    return this.#byId.get(keyOf(tenantId, invocationId));
  }

  [Symbol.iterator](): Iterator<Invocation> {
    return this.#byId.values();
  }
}

/** An invocation under way as the API shows it. */
export function inflightView(invocation: Invocation): PendingInvocation {
  const { invocationId, functionName } = invocation.request;
  return { state: invocation.isRunning ? "running" : "waiting", invocationId, functionName, acceptedAt: invocation.acceptedAt.toISOString() };
}

const keyOf = (tenantId: TenantId | string, invocationId: InvocationId | string) => `${tenantId}.${invocationId}`;
