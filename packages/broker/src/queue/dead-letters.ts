import { type DeadLetter, type DeadLetterList, type DeadLetterPageQuery, type FunctionName, type InvocationId, LongshoreError, type RedriveAnswer, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Listed, QueueStore } from "../bus/queue-store.ts";
import { readDeadLetter } from "./dead-letter.ts";
import { derivedId } from "./derived-id.ts";
import type { Queue } from "./queue.ts";
import { type QueueView, readEach, unreadableView } from "./queue-view.ts";

export interface DeadLettersOptions {
  readonly store: Pick<QueueStore, "list" | "findDead" | "remove">;
  readonly queue: Pick<Queue, "accept">;
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

  /** Throws `dead_letter_not_found`, like all that name one. */
  async get(tenantId: TenantId, invocationId: InvocationId): Promise<{ readonly letter: DeadLetter; readonly body: Uint8Array }> {
    const found = await this.#find(tenantId, invocationId);
    return { letter: shown(found), body: found.body };
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
    await this.#options.store.remove(await this.#find(tenantId, invocationId));
  }

  async #find(tenantId: TenantId, invocationId: InvocationId): Promise<Listed> {
    const found = await this.#options.store.findDead(tenantId, invocationId);
    if (found !== undefined) return found;
    throw new LongshoreError("dead_letter_not_found", `Cannot find dead letter ${invocationId}: no such id is known here, or it was submitted again`, { field: "id" });
  }

  /** Its new id follows from the letter, so that two who do it at once make one invocation. */
  async #redrive(dead: Listed): Promise<QueueView> {
    const { request, where, timeoutMs, viaUrl } = readDeadLetter(dead);
    const { tenantId, functionName, invocationId, body } = dead;
    const { view } = await this.#options.queue.accept({ tenantId, functionName, invocationId: derivedId("redrive", tenantId, invocationId), where, timeoutMs, request, viaUrl, body, redriveOf: invocationId });
    await this.#options.store.remove(dead);
    return view;
  }
}

function shown(listed: Listed): DeadLetter {
  const { record, request, where } = readDeadLetter(listed);
  return { record, request, where };
}
