import { inlineBodyBytes, LongshoreError } from "@longshore/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyWriting } from "../bus/body-store.ts";
import type { Payload } from "../queue/payload.ts";
import type { HttpLimits } from "./limits.ts";
import { announcedBytes, checkAnnounced, collectBody, readBody } from "./request-body.ts";

/**
 * Reads the body of what is to be accepted: a short one whole, a longer one into the store as it comes, no faster than that takes it.
 * `receive` begins to store one, and is asked before any of it is read where its length is known. Throws `payload_too_large`, `body_too_slow`,
 * `body_incomplete`, and what storing throws; what was stored by then is taken away.
 */
export async function readPayload(incoming: IncomingMessage, response: ServerResponse, limits: HttpLimits, receive: () => BodyWriting): Promise<Payload> {
  checkAnnounced(incoming, limits.bodyBytes);
  const announced = announcedBytes(incoming);
  const writing = announced !== undefined && announced > inlineBodyBytes ? begin(incoming, receive) : undefined;
  if (incoming.headers.expect !== undefined) response.writeContinue();
  if (announced !== undefined && writing === undefined) return collectBody(incoming, announced, limits.bodyIdleMs);
  return new PayloadIntake(incoming, limits, receive, writing).whole();
}

/** Where it cannot be taken at all, what still comes is thrown away, so that the answer can be read. */
function begin(incoming: IncomingMessage, receive: () => BodyWriting): BodyWriting {
  try {
    return receive();
  } catch (error) {
    incoming.resume();
    throw error;
  }
}

class PayloadIntake {
  readonly #incoming: IncomingMessage;
  readonly #limits: HttpLimits;
  readonly #receive: () => BodyWriting;
  #writing: BodyWriting | undefined;
  /** As long as it may be a short one. */
  readonly #parts: Buffer[] = [];
  #byteLength = 0;
  /** Parts are taken one after another. */
  #taken: Promise<void> = Promise.resolve();

  constructor(incoming: IncomingMessage, limits: HttpLimits, receive: () => BodyWriting, writing: BodyWriting | undefined) {
    this.#incoming = incoming;
    this.#limits = limits;
    this.#receive = receive;
    this.#writing = writing;
  }

  async whole(): Promise<Payload> {
    try {
      await this.#read();
      return this.#writing === undefined ? Buffer.concat(this.#parts) : await this.#writing.end();
    } catch (error) {
      await this.#taken.catch(() => undefined); // Nothing may be stored behind what is taken away.
      await this.#writing?.abandon();
      throw error;
    }
  }

  #read(): Promise<void> {
    return new Promise((resolve, reject) => {
      const body = readBody(this.#incoming, this.#limits.bodyBytes, this.#limits.bodyIdleMs, {
        data: (part) => {
          this.#taken = this.#taken.then(() => this.#take(part));
          this.#taken.then(() => body.resume(), (error: unknown) => {
            body.stop();
            reject(LongshoreError.from(error, "Cannot take request body"));
          });
          return false;
        },
        end: () => void this.#taken.then(resolve, () => undefined), // What failed was told.
        failed: reject,
      });
    });
  }

  async #take(part: Buffer): Promise<void> {
    this.#byteLength += part.length;
    if (this.#writing !== undefined) return this.#writing.write(part);
    this.#parts.push(part);
    if (this.#byteLength <= inlineBodyBytes) return;
    this.#writing = this.#receive();
    for (const held of this.#parts.splice(0)) await this.#writing.write(held);
  }
}
