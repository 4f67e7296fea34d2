import { encodeJson, type FleetEvent, type Frame, LongshoreError, type TenantId } from "@longshore/protocol";
import { AnswerBody } from "./answer-body.ts";
import { type Exchange, type ExchangeLink, unexpectedFrame } from "./exchange.ts";
import type { FleetEvents } from "./fleet-events.ts";

const nothing = new Uint8Array(0);
const lineEnd = Uint8Array.of(10);
/** Lines of one `data` frame at most. */
const batchSize = 64;
/** Events written are dropped from the list once there are that many of them. */
const forgetAfter = 1024;

/**
 * A watcher of the fleet: every agent as it stands, then each event, as JSON lines under credit. Events are kept as they are and
 * written only when the watcher takes them; one that falls too far behind is told so and let go.
 */
export class WatchExchange implements Exchange {
  readonly #link: ExchangeLink;
  readonly #body: AnswerBody;
  readonly #unsubscribe: () => void;
  readonly #backlog: number;
  readonly #events: FleetEvent[];
  #next = 0;
  #isWaiting = false;
  #isOver = false;

  /** `backlog`: how many events beyond the first state may wait. */
  constructor(tenantId: TenantId, events: FleetEvents, backlog: number, link: ExchangeLink) {
    this.#link = link;
    this.#body = new AnswerBody(link.outlet, {
      chunk: (sequence, body) => link.send({ kind: "data", sequence, body }),
      end: () => undefined,
    });
    this.#body.onDrain = () => this.#pump();
    link.send({ kind: "answer", head: { complete: false, headers: [["content-type", "application/x-ndjson"]] }, body: nothing });
    this.#events = [...events.snapshot(tenantId), { event: "caught_up" }];
    this.#backlog = this.#events.length + backlog;
    this.#unsubscribe = events.subscribe(tenantId, (event) => this.#take(event));
    this.#pump();
  }

  frame(frame: Frame): void {
    if (frame.kind === "credit") return this.#body.grant(frame.bytes);
    if (frame.kind !== "cancel") throw unexpectedFrame(frame);
    this.#finish({ kind: "end", head: { sequenceCount: this.#body.sequenceCount, result: { outcome: "cancelled" } } });
  }

  abort(): void {
    this.#isOver = true;
    this.#unsubscribe();
    this.#body.abandon();
  }

  brokerDraining(error: LongshoreError): void {
    this.#fail(error);
  }

  #take(event: FleetEvent): void {
    this.#events.push(event);
    if (this.#events.length - this.#next > this.#backlog) {
      return this.#fail(new LongshoreError("quota", `Cannot go on telling of the fleet: the watcher is more than ${this.#backlog} events behind`));
    }
    if (!this.#isWaiting) this.#pump();
  }

  #pump(): void {
    this.#isWaiting = false;
    while (!this.#isOver && !this.#isWaiting && this.#next < this.#events.length) {
      const batch = this.#events.slice(this.#next, this.#next + batchSize);
      this.#next += batch.length;
      this.#isWaiting = !this.#body.write(joinLines(batch));
    }
    if (this.#next < this.#events.length && this.#next < forgetAfter) return;
    this.#events.splice(0, this.#next);
    this.#next = 0;
  }

  #fail(error: LongshoreError): void {
    this.#finish({ kind: "error", head: error.toShape() });
  }

  #finish(frame: Frame): void {
    if (this.#isOver) return;
    this.abort();
    this.#link.finish(frame);
  }
}

function joinLines(events: readonly FleetEvent[]): Uint8Array {
  const lines = events.flatMap((event) => [encodeJson(event), lineEnd]);
  return Buffer.concat(lines);
}
