import { type PendingInvocation, pendingInvocationSchema } from "@longshore/protocol";
import { z } from "zod";
import type { Bus } from "../bus/bus.ts";
import { type Inflight, inflightView } from "./inflight.ts";

/** Others answer within that time, or do not know of it. */
const answerWithinMs = 250;

const questionSchema = z.object({ what: z.enum(["find_invocation", "cancel_invocation"]), tenantId: z.string(), invocationId: z.string() });

/** Invocations under way on the fleet's other brokers: asked for, so that nothing need be written while a call runs. */
export interface InflightElsewhere {
  find(tenantId: string, invocationId: string): Promise<PendingInvocation | undefined>;
  /** True when one of them had it, and cancels it. */
  cancel(tenantId: string, invocationId: string): Promise<boolean>;
}

/** Asks the other brokers over the bus, and answers them. Call once, before the bus starts. */
export function createInflightElsewhere(bus: Pick<Bus, "askBrokers" | "answerBrokers">, inflight: Inflight): InflightElsewhere {
  bus.answerBrokers((question) => answer(question, inflight));
  return {
    async find(tenantId, invocationId) {
      const found = pendingInvocationSchema.safeParse(await bus.askBrokers({ what: "find_invocation", tenantId, invocationId }, answerWithinMs));
      return found.success ? found.data : undefined;
    },
    async cancel(tenantId, invocationId) {
      return (await bus.askBrokers({ what: "cancel_invocation", tenantId, invocationId }, answerWithinMs)) === true;
    },
  };
}

function answer(question: unknown, inflight: Inflight): unknown {
  const parsed = questionSchema.safeParse(question);
  if (!parsed.success) return null;
  const invocation = inflight.get(parsed.data.tenantId, parsed.data.invocationId);
  if (invocation === undefined) return null;
  if (parsed.data.what === "find_invocation") return inflightView(invocation);
  invocation.cancelById();
  return true;
}
