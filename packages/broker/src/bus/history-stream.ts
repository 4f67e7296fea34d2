import { DeliverPolicy, DiscardPolicy, JetStreamApiCodes, JetStreamApiError, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { headers as createHeaders, nanos } from "@nats-io/nats-core";
import { historySteps } from "@longshore/protocol";
import type { Logger } from "pino";
import type { CountEvent } from "./counted-events.ts";
import type { HistoryStore, SummaryName } from "./history-store.ts";
import { orderedPushConsumer } from "./ordered-push-consumer.ts";
import type { Session } from "./session.ts";
import { StandingSubscription } from "./standing-subscription.ts";

const streamName = "history";
const prefix = "longshore.v1.history";
/** So much where the server has it, and less where its disk is small: what it may take is reserved. */
const maxStreamBytes = 256 * 2 ** 20;
const leastStreamBytes = 2 ** 20;
/** `JSStorageResourcesExceededErr` of nats-server. */
const noRoomToReserve = 10_047;

interface HistoryStreamOptions {
  readonly replicas: number;
  readonly log: Logger;
  readonly count: CountEvent;
}

/** The history over one stream: a subject for each summary, which goes when its time is over; where there is no more room, the oldest go before. */
export class HistoryStream implements HistoryStore {
  readonly #options: HistoryStreamOptions;
  readonly #follows = new Set<StandingSubscription>();
  #session: Session | undefined;

  constructor(options: HistoryStreamOptions) {
    this.#options = options;
  }

  /** Makes the stream where it is not there. */
  async prepare({ manager }: Session): Promise<void> {
    try {
      await manager.streams.info(streamName);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
      await this.#make(manager, maxStreamBytes);
    }
  }

  async #make(manager: Session["manager"], maxBytes: number): Promise<void> {
    try {
      await manager.streams.add({
        name: streamName,
        subjects: [`${prefix}.>`],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        max_age: nanos(2 * Math.max(...historySteps.map(({ keptMs }) => keptMs))),
        max_bytes: maxBytes,
        max_msgs_per_subject: 1,
        discard: DiscardPolicy.Old,
        allow_direct: true,
        allow_msg_ttl: true,
        num_replicas: this.#options.replicas,
      });
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== noRoomToReserve || maxBytes <= leastStreamBytes) throw error;
      await this.#make(manager, maxBytes / 4);
    }
  }

  connectionChanged(session: Session | undefined): void {
    this.#session = session;
    for (const follow of this.#follows) follow.connectionChanged(session);
  }

  async write({ stepMs, brokerId, atMs }: SummaryName, lifeMs: number, document: unknown): Promise<void> {
    const headers = createHeaders();
    headers.set("Nats-TTL", `${Math.ceil(lifeMs / 1000)}s`);
    try {
      if (this.#session === undefined) throw new Error("the bus is away");
      await this.#session.jetStream.publish(`${prefix}.${stepMs}.${brokerId}.${atMs}`, JSON.stringify(document), { headers });
    } catch (err) {
      this.#options.count("history_dropped");
      this.#options.log.debug({ err, stepMs, atMs }, "summary of what ended is not stored");
    }
  }

  follow(follower: (name: SummaryName, document: unknown) => void): { readonly ready: Promise<void>; close(): void } {
    const { promise: ready, resolve: becomeReady } = Promise.withResolvers<void>();
    const follow = new StandingSubscription(
      (session, signal) => this.#subscribe(session, signal, follower, becomeReady),
      (err) => this.#options.log.warn({ err }, "history cannot be followed yet"),
    );
    this.#follows.add(follow);
    follow.connectionChanged(this.#session);
    return {
      ready,
      close: () => {
        this.#follows.delete(follow);
        follow.close();
      },
    };
  }

  async #subscribe(session: Session, signal: AbortSignal, follower: (name: SummaryName, document: unknown) => void, becomeReady: () => void): Promise<void> {
    const consumer = await orderedPushConsumer(session, streamName, { deliver_policy: DeliverPolicy.All, filter_subjects: `${prefix}.>` });
    const { num_pending: pending } = await consumer.info(true);
    const messages = await consumer.consume({
      callback: ({ subject, data, info }) => {
        if (signal.aborted) return;
        const name = nameOf(subject);
        if (name !== undefined) follower(name, documentOf(data));
        if (info.pending === 0) becomeReady();
      },
    });
    if (signal.aborted) messages.stop();
    else signal.addEventListener("abort", () => messages.stop(), { once: true });
    if (pending === 0) becomeReady();
  }
}

function nameOf(subject: string): SummaryName | undefined {
  const [stepMs, brokerId, atMs] = subject.slice(prefix.length + 1).split(".");
  return brokerId === undefined || atMs === undefined ? undefined : { stepMs: Number(stepMs), brokerId, atMs: Number(atMs) };
}

function documentOf(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}
