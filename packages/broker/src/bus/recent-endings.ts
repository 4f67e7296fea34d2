import { DeliverPolicy } from "@nats-io/jetstream";
import { attempt } from "./bus-error.ts";
import { orderedPushConsumer } from "./ordered-push-consumer.ts";
import { parseQueueSubject, queueStreamName, recordsOfAll } from "./queue-subjects.ts";
import type { Session } from "./session.ts";

/**
 * How far back a server that was killed may have forgotten which messages went. nats-server 2.15 writes that a message went, but not that it was
 * replaced by a later one on its subject: what an entry was before its last claim stands again, once that claim is gone. It writes down all
 * that stands each two to two and a half minutes (`filestore.go`, `flushStreamStateLoop`), and when it is stopped.
 */
const forgottenMs = 5 * 60_000;

/** Records by the key of their invocation, `tenant.id`: their sequences. */
export type Endings = ReadonlyMap<string, number>;

const none: Endings = new Map();

/** Which invocations had their records stored shortly before a server was started: of these it may have brought the entries back. */
export class RecentEndings {
  /** The server whose start was looked at last, and what came of it while it matters. */
  #serverId: string | undefined;
  #endings: Promise<Endings> | undefined;
  #isRead = false;
  #clearTimer: NodeJS.Timeout | undefined;

  /** Empty where that server has been seen before, and did not start in between. Throws `bus_down`. */
  of(session: Session): Promise<Endings> {
    const serverId = session.connection.info?.server_id;
    if (serverId === this.#serverId) return this.#endings ?? Promise.resolve(none);
    this.#serverId = serverId;
    const endings = (this.#endings = attempt("read the latest records", () => readEndings(session)));
    this.#isRead = false;
    endings.then(() => (this.#isRead ||= this.#endings === endings)).catch(() => this.#forget()); // It is looked at again.
    clearTimeout(this.#clearTimer);
    this.#clearTimer = setTimeout(() => (this.#endings = undefined), forgottenMs).unref();
    return endings;
  }

  /** The connection that they are being read on may be gone: they are read on the next one. */
  connectionChanged(): void {
    if (!this.#isRead) this.#forget();
  }

  #forget(): void {
    clearTimeout(this.#clearTimer);
    this.#serverId = undefined;
    this.#endings = undefined;
  }
}

/** By their headers alone; what is stored meanwhile is none of it. */
async function readEndings(session: Session): Promise<Endings> {
  const consumer = await orderedPushConsumer(session, queueStreamName, {
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(Date.now() - forgottenMs).toISOString(),
    filter_subjects: recordsOfAll,
    headers_only: true,
  });
  const endings = new Map<string, number>();
  let left = (await consumer.info(true)).num_pending;
  if (left === 0) return endings;
  const messages = await consumer.consume();
  for await (const message of messages) {
    const key = parseQueueSubject(message.subject);
    if (key !== undefined) endings.set(`${key.tenantId}.${key.invocationId}`, message.seq);
    left -= 1;
    if (left === 0) break;
  }
  messages.stop();
  return endings;
}
