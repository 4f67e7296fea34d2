import { z } from "zod";
import { inlineBodyBytes } from "./accepted-body.ts";
import { parseCron } from "./cron.ts";
import { errorShape, LongshoreError } from "./error.ts";
import { functionNameSchema, scheduleNameSchema } from "./names.ts";
import { whereSchema } from "./where.ts";

/** What becomes of due times that nobody was there for: nothing, one run for all of them, or each its own. */
export const missedPolicies = ["skip", "once", "all"] as const;
export type MissedPolicy = (typeof missedPolicies)[number];

/** A schedule's body is kept with it, and is at most that large. */
const maxBodyBytes = inlineBodyBytes;
const dayMs = 86_400_000;
const byteLength = (text: string) => new TextEncoder().encode(text).length;

const cronSchema = z.string().superRefine((line, context) => {
  try {
    parseCron(line);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof LongshoreError ? error.message : "cannot be read" });
  }
});

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).format(0) !== "";
  } catch {
    return false;
  }
}

const definition = {
  name: scheduleNameSchema,
  function: functionNameSchema,
  /** Five parts: minute, hour, day, month, weekday. */
  cron: cronSchema.optional(),
  /** Whose local time the cron line means; default: UTC. */
  timeZone: z.string().max(64).regex(/^[A-Za-z]/, "must be a time zone's name, as Europe/Berlin").refine(isTimeZone, "must be a time zone's name, as Europe/Berlin").optional(),
  everyMs: z.number().int().min(1000).max(366 * dayMs).optional(),
  /** What is sent, as text; default: nothing. */
  body: z.string().refine((text) => byteLength(text) <= maxBodyBytes, `must have at most ${maxBodyBytes} bytes`).optional(),
  bodyBase64: z.base64().max((maxBodyBytes * 4) / 3 + 4).optional(),
  contentType: z.string().max(256).regex(/^[\x20-\x7e]+$/, "must be a header value").optional(),
  /** Narrows where its function may run. */
  where: whereSchema.optional(),
  missed: z.enum(missedPolicies).default("once"),
  /** A run that has not begun within that time of its acceptance expires; default: as for any accepted invocation. */
  maxAgeMs: z.number().int().min(1000).max(7 * dayMs).optional(),
};

/** `PUT /v1/schedules/{name}`: a function that is invoked at times; strict, a slip names its field. Exactly one of `cron` and `everyMs`. */
export const scheduleDocumentSchema = z
  .strictObject({
    ...definition,
    /** Absent: as it stands; a new one is not. */
    paused: z.boolean().optional(),
  })
  .superRefine(({ cron, everyMs, timeZone, body, bodyBase64 }, context) => {
    const slip = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (cron === undefined && everyMs === undefined) slip("cron", "either cron or everyMs must be there");
    if (cron !== undefined && everyMs !== undefined) slip("everyMs", "must not be there beside cron");
    if (cron === undefined && timeZone !== undefined) slip("timeZone", "must not be there without cron");
    if (body !== undefined && bodyBase64 !== undefined) slip("bodyBase64", "must not be there beside body");
  });
/** As users write it. */
export type ScheduleDocument = z.input<typeof scheduleDocumentSchema>;
/** Checked, defaults filled in. */
export type ScheduleDefinition = z.output<typeof scheduleDocumentSchema>;

/** A schedule as the API shows it; listings leave its body out. Times are RFC 3339. */
export const scheduleViewSchema = z.object({
  ...definition,
  paused: z.boolean(),
  bodyBytes: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
  /** The next due time that has no run yet; absent while it is paused. */
  nextAt: z.string().optional(),
  /** The due time of its last run, what that run is, and why there is none where it could not be accepted. */
  lastAt: z.string().optional(),
  lastInvocationId: z.string().optional(),
  lastError: errorShape.optional(),
});
export type ScheduleView = z.output<typeof scheduleViewSchema>;
export const scheduleListSchema = z.object({ schedules: z.array(scheduleViewSchema), next: z.string().optional() });
export type ScheduleList = z.output<typeof scheduleListSchema>;
/** `POST /v1/schedules/{name}/run`: the invocation that was accepted, outside of its due times. */
export const scheduleRunSchema = z.object({ invocationId: z.string() });
export type ScheduleRun = z.output<typeof scheduleRunSchema>;
