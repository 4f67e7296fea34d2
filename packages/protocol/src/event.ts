import { z } from "zod";
import { agentViewSchema } from "./agent.ts";
import { invocationRecordSchema } from "./invocation.ts";

/** What a broker tells those who watch the fleet over a socket. */
export const fleetEventSchema = z.discriminatedUnion("event", [
  z.object({ event: z.literal("agent"), agent: agentViewSchema }),
  z.object({ event: z.literal("agent_gone"), agentId: z.string() }),
  /** The state at the beginning has been told; what follows are changes. */
  z.object({ event: z.literal("caught_up") }),
  z.object({ event: z.literal("function"), name: z.string(), revision: z.number().optional(), deleted: z.boolean().optional() }),
  z.object({ event: z.literal("invocation"), record: invocationRecordSchema }),
]);
export type FleetEvent = z.infer<typeof fleetEventSchema>;
