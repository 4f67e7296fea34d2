import type { RouteId } from "@longshore/protocol";
import { awsKeyHandlers } from "./aws-key-handlers.ts";
import { deadLetterHandlers } from "./dead-letter-handlers.ts";
import { fleetHandlers } from "./fleet-handlers.ts";
import { functionHandlers } from "./function-handlers.ts";
import type { Handler } from "./handler.ts";
import { historyHandlers } from "./history-handlers.ts";
import { invocationHandlers } from "./invocation-handlers.ts";
import { registryHandlers } from "./registry-handlers.ts";
import { scheduleHandlers } from "./schedule-handlers.ts";
import { webhookHandlers } from "./webhook-handlers.ts";

/** Who answers each route of the protocol; `invoke` is answered by the invocation path. */
export const handlers: Record<Exclude<RouteId, "invoke">, Handler> = { ...functionHandlers, ...invocationHandlers, ...historyHandlers, ...fleetHandlers, ...registryHandlers, ...awsKeyHandlers, ...deadLetterHandlers, ...webhookHandlers, ...scheduleHandlers };
