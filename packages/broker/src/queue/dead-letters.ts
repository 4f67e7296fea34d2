import { type DeadLetter, type DeadLetterList, type DeadLetterPageQuery, type FunctionName, type InvocationId, LongshoreError, type RedriveAnswer, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import { type BodyStore, type StoredBody, storedBodySchema } from "../bus/body-store.ts";
import type { Listed, QueueStore } from "../bus/queue-store.ts";
import { readDeadLetter } from "./dead-letter.ts";
import { derivedId } from "./derived-id.ts";
import { payloadOwner, payloadToSend, storeParts } from "./payload.ts";
import type { Queue } from "./queue.ts";
import { type QueueView, readEach, unreadableView } from "./queue-view.ts";

export interface DeadLettersOptions {
  readonly store: Pick<QueueStore, "list" | "findDead" | "remove">;
  readonly bodies: Pick<BodyStore, "read" | "remove">;
  readonly queue: Pick<Queue, "accept" | "receive">;
  readonly log: Logger;
}

const pageLength = 100;

/** What is left of accepted invocations that did not succeed: shown, submitted again, given up. */
export class DeadLetters {
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** What cannot be read stands beside the others. */
  async list(tenantId: TenantId, { function: functionName, after, limit }: DeadLetterPageQuery): Promise<DeadLetterList> {
    const listed = await this.#options.store.list("dead", { tenantId, functionName: functionName ?? "*", after, limit });
    const next = listed.length === limit ? listed.at(-1)?.sequence : undefined;
    const { views, unreadable } = readEach(listed, shown, (each) => unreadableView(each, "finished"));
    return { deadLetters: views, ...(unreadable.length > 0 && { unreadable }), ...(next !== undefined && { next }) };
  }

  /** With its payload, which may come in parts. Throws `dead_letter_not_found`, like all that name one. */
  async get(tenantId: TenantId, invocationId: InvocationId): Promise<{ readonly letter: DeadLetter; readonly byteLength: number; readonly body: Uint8Array | AsyncIterable<Uint8Array> }> {
    const found = await this.#find(tenantId, invocationId);
    const { payload } = readDeadLetter(found);
    return { letter: shown(found), byteLength: payload?.byteLength ?? found.body.length, body: payloadToSend(this.#options.bodies, found, payload) };
  }

  /** Submits it again, as a new invocation; however often and by how many that is asked, once. Throws what accepting throws. */
  async redrive(tenantId: TenantId, invocationId: InvocationId): Promise<QueueView> {
    return this.#redrive(await this.#find(tenantId, invocationId));
  }

  /** All of a function. */
  async redriveAll(tenantId: TenantId, functionName: FunctionName): Promise<RedriveAnswer> {
    const { store, log } = this.#options;
    let [redriven, failed, after] = [0, 0, 0];
    for (;;) {
      const page = await store.list("dead", { tenantId, functionName, after, limit: pageLength });
      for (const each of page) {
        try {
          await this.#redrive(each);
          redriven += 1;
        } catch (err) {
          if (err instanceof LongshoreError && err.code === "unavailable") throw err;
          log.warn({ err, invocationId: each.invocationId, functionName }, "dead letter not submitted again");
          failed += 1;
        }
      }
      if (page.length < pageLength) return { redriven, failed };
      after = page.at(-1)?.sequence ?? after;
    }
  }

  async remove(tenantId: TenantId, invocationId: InvocationId): Promise<void> {
    await this.#removeWhole(await this.#find(tenantId, invocationId));
  }

  async #removeWhole(dead: Listed): Promise<void> {
    const payload = payloadOf(dead);
    await this.#options.store.remove(dead);
    if (payload !== undefined) await this.#options.bodies.remove(payloadOwner(dead), payload.writing).catch(() => undefined); // It is found among those that nobody names.
  }

  async #find(tenantId: TenantId, invocationId: InvocationId): Promise<Listed> {
    const found = await this.#options.store.findDead(tenantId, invocationId);
    if (found !== undefined) return found;
    throw new LongshoreError("dead_letter_not_found", `Cannot find dead letter ${invocationId}: no such id is known here, or it was submitted again`, { field: "id" });
  }

  /** Its new id follows from the letter, so that two who do it at once make one invocation. A stored payload is copied: each has one owner. */
  async #redrive(dead: Listed): Promise<QueueView> {
    const { request, where, timeoutMs, viaUrl, payload } = readDeadLetter(dead);
    const { queue, bodies } = this.#options;
    const { tenantId, functionName, invocationId } = dead;
    const terms = { tenantId, functionName, invocationId: derivedId("redrive", tenantId, invocationId), where, timeoutMs, request, viaUrl, redriveOf: invocationId };
    const body = payload === undefined ? dead.body : await storeParts(queue.receive(terms), bodies.read(payloadOwner(dead), payload));
    const { view } = await queue.accept({ ...terms, body });
    await this.#removeWhole(dead);
    return view;
  }
}

/** Undefined also for a letter that cannot be read. */
function payloadOf(dead: Listed): StoredBody | undefined {
  return storedBodySchema.safeParse((dead.head as { payload?: unknown } | undefined)?.payload).data;
}

function shown(listed: Listed): DeadLetter {
  const { record, request, where } = readDeadLetter(listed);
  return { record, request, where };
}
