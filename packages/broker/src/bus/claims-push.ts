import { connect } from "@nats-io/transport-node";
import { LongshoreError } from "@longshore/protocol";
import { z } from "zod";
import { attempt } from "./bus-error.ts";
import { connectionOptions, type LinkTarget } from "./link.ts";

const pushSubject = "$SYS.REQ.CLAIMS.UPDATE";
const answerSchema = z.object({ data: z.object({ code: z.number() }).optional(), error: z.object({ description: z.string() }).optional() });

/** Hands the servers a newly signed account JWT, over a connection of its own to the system account; resolves when one has taken it. */
export async function pushAccountClaims(system: LinkTarget, accountJwt: string): Promise<void> {
  await attempt("update the fleet account", async () => {
    const connection = await connect(connectionOptions(system, "longshore-broker-claims"));
    try {
      const reply = await connection.request(pushSubject, accountJwt, { timeout: 5_000 });
      const answer = answerSchema.parse(reply.json());
      if (answer.data?.code !== 200) throw new LongshoreError("bus_down", `Cannot update the fleet account: ${answer.error?.description ?? "the server refused it"}`);
    } finally {
      await connection.close();
    }
  });
}
