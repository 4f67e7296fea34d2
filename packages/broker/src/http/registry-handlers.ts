import { LongshoreError } from "@longshore/protocol";
import type { Handler, HandlerContext } from "./handler.ts";

/** Credentials for registries: set, list without passwords, forget. */
export const registryHandlers = {
  listRegistries: ({ parts, tenantId }) => ({ registries: parts.registries.list(tenantId) }),
  putRegistry: async (context) => context.parts.registries.set(context.tenantId, hostOf(context), await context.document()),
  async deleteRegistry(context) {
    await context.parts.registries.remove(context.tenantId, hostOf(context));
    context.response.writeHead(204).end();
  },
} satisfies Record<string, Handler>;

/** A port's colon may come encoded. */
function hostOf({ parameters }: HandlerContext): string {
  const raw = parameters["host"] ?? "";
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    throw new LongshoreError("bad_name", `Cannot read host ${JSON.stringify(raw.slice(0, 80))}: a percent sign stands for nothing`, { phase: "admission", field: "host", cause });
  }
}
