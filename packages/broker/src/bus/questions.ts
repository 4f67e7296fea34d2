import { type Msg, type NatsConnection, NoRespondersError } from "@nats-io/nats-core";
import { type BrokerId, decodeJson, encodeJson } from "@longshore/protocol";
import type { Logger } from "pino";
import { attempt, notConnected } from "./bus-error.ts";

/** In the core account, where only brokers are; the last part names who asks, so that nobody answers itself. */
const questionSubject = (asker: BrokerId | "*") => `longshore.v1.broker.question.${asker}`;

/** Whether any broker is connected: all of them hear questions, and the server says when nobody does. */
export async function hasBrokers(connection: NatsConnection): Promise<boolean> {
  return attempt("ask for brokers", async () => {
    try {
      for await (const _answer of await connection.requestMany(questionSubject("nobody" as BrokerId), encodeJson({}), { maxWait: 500, strategy: "timer" })) break;
      return true;
    } catch (error) {
      if (error instanceof NoRespondersError) return false;
      throw error;
    }
  });
}

/** Questions among brokers: plain messages, nothing kept, whoever knows the answer answers. */
export class Questions {
  readonly #brokerId: BrokerId;
  readonly #log: Logger;
  #answer: ((question: unknown) => unknown) | undefined;

  constructor(brokerId: BrokerId, log: Logger) {
    this.#brokerId = brokerId;
    this.#log = log;
  }

  answerWith(handler: (question: unknown) => unknown): void {
    this.#answer = handler;
  }

  subscribe(connection: NatsConnection): void {
    connection.subscribe(questionSubject("*"), {
      callback: (error, message) => {
        if (error === null && message.subject !== questionSubject(this.#brokerId)) this.#reply(message);
      },
    });
  }

  /** The first answer that is not `null`; undefined when none came within `waitMs`. */
  async ask(connection: NatsConnection | undefined, question: unknown, waitMs: number): Promise<unknown> {
    if (connection === undefined) throw notConnected("ask the other brokers");
    return attempt("ask the other brokers", async () => {
      const answers = await connection.requestMany(questionSubject(this.#brokerId), encodeJson(question), { maxWait: waitMs, strategy: "timer" });
      try {
        for await (const message of answers) return decodeJson(message.data);
      } catch (error) {
        if (!(error instanceof NoRespondersError)) throw error;
      }
      return undefined;
    });
  }

  /** Who has nothing to say is silent. */
  #reply(message: Msg): void {
    try {
      const answer = this.#answer?.(decodeJson(message.data)) ?? null;
      if (answer !== null) message.respond(encodeJson(answer));
    } catch (err) {
      this.#log.error({ err }, "question of another broker could not be answered");
    }
  }
}
