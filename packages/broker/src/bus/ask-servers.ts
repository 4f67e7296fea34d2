import { setTimeout as delay } from "node:timers/promises";
import type { Authenticator, NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { decodeJson, encodeJson } from "@longshore/protocol";
import { z } from "zod";
import { nkeyFromSeed } from "../identity/nkey.ts";
import { attempt } from "./bus-error.ts";
import { connectionOptions, type Credential, type LinkTarget } from "./link.ts";

const subject = "$SYS.REQ.SERVER.PING.JSZ";
const answerSchema = z.object({ server: z.object({ domain: z.string().optional() }), data: z.unknown() });

export interface ServerQuestion {
  /** Public key of the account whose streams are told of. */
  readonly accountKey: string;
  readonly withinMs: number;
  /** Whether the answers so far are all that matter. */
  readonly isComplete: (documents: readonly unknown[]) => boolean;
}

/**
 * Asks every server of the bus how it stores, over a connection of its own to the system account: their JSZ documents, as many as came in
 * time, of those in the JetStream domain of the server that was reached. Throws `bus_down` when none was.
 */
export async function askServers(system: LinkTarget, question: ServerQuestion): Promise<readonly unknown[]> {
  const deadline = new AbortController();
  const isLate = delay(question.withinMs, undefined, { signal: deadline.signal, ref: false }).catch(() => undefined);
  return attempt("ask the servers of the bus how they store", async () => {
    const connecting = connect({ ...connectionOptions(system, "longshore-broker-durability"), authenticator: signedBy(system.credential), timeout: question.withinMs });
    try {
      const connection = await Promise.race([connecting, isLate]);
      if (connection === undefined) throw new Error("no server was reached in time");
      return await gather(connection, question, isLate);
    } finally {
      deadline.abort();
      connecting.then((connection) => connection.close()).catch(() => undefined);
    }
  });
}

/** The client's own takes tens of milliseconds of processor time a signature, during which no call moves; this is done each minute. */
function signedBy({ jwt, seed }: Credential): Authenticator {
  const key = nkeyFromSeed(seed, "user");
  return (nonce) => ({ jwt, nkey: key.publicKey, sig: key.sign(nonce ?? "").toString("base64url") });
}

async function gather(connection: NatsConnection, { accountKey, withinMs, isComplete }: ServerQuestion, isLate: Promise<unknown>): Promise<readonly unknown[]> {
  const documents: unknown[] = [];
  const { domain } = (connection.info ?? {}) as { readonly domain?: string };
  const request = encodeJson({ config: true, streams: true, account: accountKey });
  const answers = await connection.requestMany(subject, request, { maxWait: withinMs, strategy: "timer", noMux: true });
  void isLate.then(() => connection.close());
  for await (const message of answers) {
    const { server, data } = answerSchema.parse(decodeJson(message.data));
    if (server.domain === domain) documents.push(data);
    if (isComplete(documents)) break;
  }
  return documents;
}
