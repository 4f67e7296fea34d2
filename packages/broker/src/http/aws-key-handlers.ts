import type { Handler } from "./handler.ts";

/** Key pairs for AWS's clients: make, list without secrets, delete. */
export const awsKeyHandlers = {
  listAwsKeys: ({ parts, tenantId }) => ({ awsKeys: parts.awsKeys.list(tenantId) }),
  createAwsKey: ({ parts, tenantId }) => parts.awsKeys.create(tenantId),
  async deleteAwsKey({ parts, tenantId, parameters, response }) {
    await parts.awsKeys.remove(tenantId, parameters["id"] ?? "");
    response.writeHead(204).end();
  },
} satisfies Record<string, Handler>;
