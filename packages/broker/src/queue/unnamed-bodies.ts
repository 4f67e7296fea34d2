import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import type { BodyStore, ListedBody } from "../bus/body-store.ts";
import type { QueueStore } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";

export interface UnnamedBodiesOptions {
  readonly bodies: Pick<BodyStore, "list" | "remove">;
  readonly queue: Pick<QueueStore, "find" | "findDead">;
  /** One broker looks for all. */
  readonly isMine: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

const lookEveryMs = 600_000;
/** What was written to more lately may be about to be named: its last part comes before whatever names it. */
const unnamedForMs = 1_800_000;

/**
 * Removes bodies that no entry, record or dead letter names: those of a broker that died before it could write what was to name them,
 * and those whose invocation ended, or whose letter expired, with nobody there to remove them.
 */
export class UnnamedBodies {
  readonly #options: UnnamedBodiesOptions;
  #cancelTimer: () => void = () => undefined;
  #isClosed = false;

  constructor(options: UnnamedBodiesOptions) {
    this.#options = options;
  }

  /** Looks each ten minutes from then on. */
  start(): void {
    if (this.#isClosed) return;
    this.#cancelTimer = this.#options.clock.after(lookEveryMs, () => void this.look().finally(() => this.start()));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  /** Looks at all of them once. */
  async look(): Promise<void> {
    const { bodies, isMine, clock, log } = this.#options;
    if (!isMine()) return;
    try {
      const beforeMs = clock.date().getTime() - unnamedForMs;
      for (const body of await bodies.list()) {
        if (this.#isClosed) return;
        if (body.writtenAtMs > beforeMs || (await this.#isNamed(body))) continue;
        await bodies.remove(body.owner, body.writing);
        log.info({ invocationId: body.owner.invocationId }, "body removed that nothing names");
      }
    } catch (err) {
      if (!(err instanceof LongshoreError) || err.code !== "unavailable") log.error({ err }, "bodies that nothing names not looked at");
    }
  }

  async #isNamed({ owner, writing }: ListedBody): Promise<boolean> {
    const { queue } = this.#options;
    const { tenantId, invocationId, kind } = owner;
    const found = await queue.find(tenantId, invocationId).catch(ifUnreadable);
    if (found === unreadable) return true;
    if (kind === "answer") return found?.state === "finished" && names(found.head, "answer", writing);
    if (found?.state === "queued" && names(found.head, "payload", writing)) return true;
    return names((await queue.findDead(tenantId, invocationId))?.head, "payload", writing);
  }
}

const unreadable = Symbol("unreadable");

/** What cannot be read may name it, and keeps none of the others from being looked at. */
function ifUnreadable(error: unknown): typeof unreadable {
  if (error instanceof LongshoreError && error.code === "unavailable") throw error;
  return unreadable;
}

/** Whether it names that writing; what cannot be read may. */
function names(head: unknown, field: "payload" | "answer", writing: string): boolean {
  const body = (head as Record<string, { writing?: unknown } | undefined> | null | undefined)?.[field];
  return body !== undefined && (body.writing === undefined || body.writing === writing);
}
