import type { Handler } from "./handler.ts";

/** What the tenant's webhooks are signed with. */
export const webhookHandlers = {
  getWebhookSecret: ({ parts, tenantId }) => parts.webhookSecret.show(tenantId),
  rotateWebhookSecret: ({ parts, tenantId }) => parts.webhookSecret.rotate(tenantId),
} satisfies Record<string, Handler>;
