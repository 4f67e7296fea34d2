import type { Handler, HandlerContext } from "./handler.ts";
import { readKeyHeader } from "./invocation-request.ts";
import { readPageQuery } from "./page-query.ts";
import { sendJson } from "./problem.ts";

const nameOf = ({ parameters }: HandlerContext) => parameters["name"] ?? "";

/** Schedules: set, read, list, remove, pause, resume, run. */
export const scheduleHandlers = {
  listSchedules: ({ parts, tenantId, query }) => parts.schedules.page(tenantId, readPageQuery(query)),
  getSchedule: (context) => context.parts.schedules.view(context.tenantId, nameOf(context)),
  async putSchedule(context) {
    const { view, created } = await context.parts.schedules.set(context.tenantId, nameOf(context), await context.document());
    sendJson(context.response, created ? 201 : 200, view);
    return undefined;
  },
  async deleteSchedule(context) {
    await context.parts.schedules.remove(context.tenantId, nameOf(context));
    context.response.writeHead(204).end();
  },
  pauseSchedule: (context) => context.parts.schedules.pause(context.tenantId, nameOf(context), true),
  resumeSchedule: (context) => context.parts.schedules.pause(context.tenantId, nameOf(context), false),
  async runSchedule(context) {
    sendJson(context.response, 202, await context.parts.schedules.run(context.tenantId, nameOf(context), readKeyHeader(context.request)));
    return undefined;
  },
} satisfies Record<string, Handler>;
