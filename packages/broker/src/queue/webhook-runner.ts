import type { FunctionName, InvocationResult, TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { QueuedInvocation, QueueStore } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import type { DeliveryOutcome } from "../destinations/delivery-outcome.ts";
import { signingSecrets } from "../destinations/signing-secrets.ts";
import type { WebhookDelivery } from "../destinations/webhook.ts";
import { nextDelivery } from "../destinations/webhook-schedule.ts";
import type { Registry } from "../registry/registry.ts";
import { traceparentOf } from "../traces/traced-headers.ts";
import type { AttemptEnds } from "./attempt-ends.ts";
import { idleTermsOf } from "./idle-terms.ts";
import type { StoredInvocation } from "./stored-invocation.ts";

export interface WebhookRunnerOptions {
  readonly queue: Pick<QueueStore, "again">;
  readonly registry: Pick<Registry, "find">;
  /** What a tenant's webhooks are signed with. */
  readonly secrets: (tenantId: TenantId) => Promise<readonly string[]>;
  /** Sends it once. */
  readonly deliver: (delivery: WebhookDelivery) => Promise<DeliveryOutcome>;
  readonly ends: Pick<AttemptEnds, "finish">;
  /** Another of the tenant's may be delivered. */
  readonly released: (tenantId: TenantId) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** A receiver that is slow holds up at most so many others, of its tenant or of the broker. */
const mostOfTenant = 8;
const mostAtOnce = 64;
/** A broker that died while it delivered is not waited for longer. */
const claimMs = 60_000;

/** Delivers webhooks that stand in the queue, each at least once: whoever takes them knows by their id what it has had. */
export class WebhookRunner {
  readonly #options: WebhookRunnerOptions;
  readonly #closing = new AbortController();
  readonly #active = new Map<TenantId, number>();
  #count = 0;

  constructor(options: WebhookRunnerOptions) {
    this.#options = options;
  }

  canRun(tenantId: TenantId): boolean {
    return this.#count < mostAtOnce && (this.#active.get(tenantId) ?? 0) < mostOfTenant;
  }

  /** Has it delivered, and ended, or queued to be sent again. A receiver may be slow: nobody waits for it. */
  run(queued: QueuedInvocation, stored: StoredInvocation): void {
    const { released, log } = this.#options;
    const { tenantId, invocationId } = queued;
    this.#add(tenantId, 1);
    this.#claimAndDeliver(queued, stored)
      .finally(() => this.#add(tenantId, -1))
      .then((ended) => ended && this.#options.ends.finish(ended.claimed, stored, ended.result))
      .catch((err: unknown) => log.warn({ err, invocationId, tenantId }, "webhook left to be delivered again"))
      .finally(() => released(tenantId));
  }

  close(): void {
    this.#closing.abort();
  }

  /** Undefined: it was another's, or is to be sent again; else how it ended. */
  async #claimAndDeliver(queued: QueuedInvocation, stored: StoredInvocation): Promise<{ readonly claimed: QueuedInvocation; readonly result: InvocationResult } | undefined> {
    const { queue, clock } = this.#options;
    const terms = { ...idleTermsOf(queued), sentUntilMs: clock.date().getTime() + claimMs };
    const sequence = await queue.again(queued, terms, stored);
    if (sequence === undefined) return undefined;
    const claimed = { ...queued, ...terms, sequence };
    const outcome = await this.#deliver(claimed, stored);
    if (outcome.outcome === "retry" && (await this.#again(claimed, stored, outcome))) return undefined;
    return { claimed, result: resultOf(outcome) };
  }

  async #deliver({ tenantId, invocationId, attempt, body }: QueuedInvocation, { webhook, trace }: StoredInvocation): Promise<DeliveryOutcome> {
    const { registry, secrets, deliver } = this.#options;
    if (webhook === undefined) return { outcome: "refused", message: "It names no receiver" };
    const signing = signingSecrets(webhook, registry.find(tenantId, webhook.functionName as FunctionName)?.spec.secrets ?? {}, await secrets(tenantId));
    if (signing === undefined) return { outcome: "refused", message: `Function "${webhook.functionName}" has no secret "${webhook.secretName ?? ""}" to sign it with` };
    return deliver({ url: webhook.url, body, id: invocationId, invocationId: webhook.invocationId, attempt, traceparent: trace && traceparentOf(trace, attempt), secrets: signing, signal: this.#closing.signal });
  }

  async #again(claimed: QueuedInvocation, stored: StoredInvocation, { retryAfterMs }: DeliveryOutcome & { readonly outcome: "retry" }): Promise<boolean> {
    const { queue, clock, random } = this.#options;
    const next = nextDelivery({ attempt: claimed.attempt, firstSentAtMs: Date.parse(stored.acceptedAt), endedAtMs: clock.date().getTime(), retryAfterMs }, random());
    if (next.next === "end" || claimed.isCancelled === true) return false;
    await queue.again(claimed, { ...idleTermsOf(claimed), attempt: next.attempt, notBeforeMs: next.notBeforeMs }, stored);
    return true;
  }

  #add(tenantId: TenantId, change: number): void {
    this.#count += change;
    const active = (this.#active.get(tenantId) ?? 0) + change;
    if (active === 0) this.#active.delete(tenantId);
    else this.#active.set(tenantId, active);
  }
}

function resultOf({ outcome, message, status }: DeliveryOutcome): InvocationResult {
  const about = { message, ...(status !== undefined && { status }) };
  return outcome === "delivered" ? { outcome: "succeeded", ...about } : { outcome: "failed", ...about };
}
