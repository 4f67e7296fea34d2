import type { NatsConnection } from "@nats-io/nats-core";
import { LongshoreError } from "@longshore/protocol";
import { z } from "zod";
import { attempt } from "./bus-error.ts";

const answerWithinMs = 30_000;
/** JetStream's `err_code` where no message matches. */
const noMessage = 10_037;

const errorSchema = z.object({ error: z.object({ err_code: z.number().optional(), description: z.string().optional() }).optional() });

/**
 * One request to JetStream's API, in its own words: `STREAM.INFO.queue`. Throws `bus_down` with what the server says where it refuses, or
 * does not answer.
 */
export async function askJetStream<T>(connection: NatsConnection, action: string, method: string, request: unknown, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(await ask(connection, action, method, request));
}

/** Whether the stream's leader has a message of that sequence, or of a later one; on a subject, where one is given. */
export async function hasMessageFrom(connection: NatsConnection, stream: string, sequence: number, subject = ">"): Promise<boolean> {
  const answer = await ask(connection, `read stream "${stream}"`, `STREAM.MSG.GET.${stream}`, { seq: sequence, next_by_subj: subject }, noMessage);
  return errorSchema.parse(answer).error === undefined;
}

/** The answer, which may be the one error that is told here. */
function ask(connection: NatsConnection, action: string, method: string, request: unknown, expectedError?: number): Promise<unknown> {
  return attempt(action, async () => {
    const answer = (await connection.request(`$JS.API.${method}`, JSON.stringify(request), { timeout: answerWithinMs })).json();
    const { error } = errorSchema.parse(answer);
    if (error !== undefined && error.err_code !== expectedError) throw new LongshoreError("bus_down", `Cannot ${action}: ${error.description ?? "the server refused it"}`);
    return answer;
  });
}
