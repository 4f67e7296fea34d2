import type { NatsConnection } from "@nats-io/nats-core";
import type { Logger } from "pino";

/** One publication of an agent. */
export interface Publication {
  readonly subject: string;
  /** Where the server says that nobody listens. */
  readonly reply: string;
  readonly payload: Uint8Array;
  /** Called once the server has it; what it says of it ("no responders") came before that. */
  readonly confirmed?: () => void;
}

/** The server is asked for confirmation this long after a publication, or at once when that much waits for it. */
const confirmAfterMs = 50;
const confirmAtBytes = 1024 * 1024;
/** What an agent keeps while it is cut off; what comes beyond that is dropped and counted. */
const maxKeptBytes = 64 * 1024 * 1024;

/**
 * What an agent publishes for its exchanges: kept until the server has it, and sent again on each new link.
 *
 * Invariants: O1 publications leave in the order in which they were given, on each link. O2 none is forgotten before the server
 * confirmed it, but for those beyond the bound. O3 one may arrive twice: frames are numbered, so that the broker drops the second.
 * O4 those of one turn of the event loop leave in one write: a write costs more than all the rest that a small answer needs here.
 */
export class Outgoing {
  readonly #log: Logger;
  readonly #kept: Publication[] = [];
  #keptBytes = 0;
  #sentCount = 0;
  /** How many of those sent were published on this link. */
  #publishedCount = 0;
  #confirmedCount = 0;
  #link: NatsConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turnEnd: NodeJS.Immediate | undefined;
  /** The link that was asked for a confirmation and has not answered. */
  #confirmingOn: NatsConnection | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  send(publication: Publication): void {
    if (this.#keptBytes + publication.payload.length > maxKeptBytes) {
      this.#log.error({ subject: publication.subject, keptBytes: this.#keptBytes }, "publication dropped: too much waits for the bus");
      return;
    }
    this.#kept.push(publication);
    this.#keptBytes += publication.payload.length;
    this.#sentCount += 1;
    this.#turnEnd ??= setImmediate(() => this.#publishDue()); // O4
    this.#confirmSoon();
  }

  /** The link to publish on has come, was replaced, or is gone. */
  linkChanged(link: NatsConnection | undefined): void {
    this.#link = link;
    this.#confirmingOn = undefined; // The former link may never answer.
    this.#publishedCount = this.#confirmedCount;
    this.#publishDue(); // O1, O2
    this.#confirmSoon();
    this.#tellWaiting();
  }

  /** Resolves when the server has everything, or there is no link. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#tellWaiting();
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turnEnd);
  }

  #publishDue(): void {
    clearImmediate(this.#turnEnd);
    this.#turnEnd = undefined;
    const first = this.#publishedCount - this.#confirmedCount;
    this.#publishedCount = this.#sentCount;
    if (this.#link === undefined || this.#link.isClosed()) return;
    for (let at = first; at < this.#kept.length; at += 1) {
      const due = this.#kept[at];
      if (due !== undefined) this.#link.publish(due.subject, due.payload, { reply: due.reply });
    }
  }

  #confirmSoon(): void {
    if (this.#kept.length === 0 || this.#link === undefined || this.#confirmingOn !== undefined) return;
    if (this.#keptBytes >= confirmAtBytes) void this.#confirm(this.#link);
    else this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#link !== undefined && this.#confirmingOn === undefined) void this.#confirm(this.#link);
    }, confirmAfterMs);
  }

  /** A PING on the same link: its PONG comes after the server has taken whatever was published before. */
  async #confirm(link: NatsConnection): Promise<void> {
    this.#confirmingOn = link;
    this.#publishDue();
    const through = this.#sentCount;
    try {
      await link.flush();
      while (this.#confirmedCount < through) this.#confirmOldest();
    } catch (err) {
      this.#log.debug({ err }, "publications not confirmed: the link is gone");
    }
    if (this.#confirmingOn === link) this.#confirmingOn = undefined;
    this.#confirmSoon();
    this.#tellWaiting();
  }

  #confirmOldest(): void {
    const oldest = this.#kept.shift();
    this.#confirmedCount += 1;
    if (oldest === undefined) return;
    this.#keptBytes -= oldest.payload.length;
    oldest.confirmed?.();
  }

  #tellWaiting(): void {
    if (this.#kept.length > 0 && this.#link !== undefined) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
