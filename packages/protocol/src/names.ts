import { z } from "zod";
import { LongshoreError } from "./error.ts";

/** Every id that may become part of a subject, a key or a container name: lower case, digits and dashes, at most 63 characters. */
const idPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Function names leave room for `-r<n>` behind them. */
const functionNamePattern = /^[a-z0-9][a-z0-9-]{0,49}$/;
/** What a caller may choose as invocation id: a UUID in its usual spelling. */
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const idRule = "must be 1 to 63 of a-z, 0-9 and -, and begin with a letter or digit";

export const siteIdSchema = z.string().regex(idPattern, idRule).brand("SiteId");
export const agentIdSchema = z.string().regex(idPattern, idRule).brand("AgentId");
export const brokerIdSchema = z.string().regex(idPattern, idRule).brand("BrokerId");
export const tenantIdSchema = z.string().regex(idPattern, idRule).brand("TenantId");
export const exchangeTokenSchema = z.string().regex(idPattern, idRule).brand("ExchangeToken");
export const instanceIdSchema = z.string().regex(idPattern, idRule).brand("InstanceId");
export const functionNameSchema = z
  .string()
  .regex(functionNamePattern, "must be 1 to 50 of a-z, 0-9 and -, and begin with a letter or digit")
  .brand("FunctionName");
export const scheduleNameSchema = z
  .string()
  .regex(functionNamePattern, "must be 1 to 50 of a-z, 0-9 and -, and begin with a letter or digit")
  .brand("ScheduleName");
export const invocationIdSchema = z.string().regex(uuidPattern, "must be a UUID in lower case").brand("InvocationId");

export type SiteId = z.infer<typeof siteIdSchema>;
export type AgentId = z.infer<typeof agentIdSchema>;
export type BrokerId = z.infer<typeof brokerIdSchema>;
export type TenantId = z.infer<typeof tenantIdSchema>;
/** Names one exchange between a broker and an agent; unique within its broker. */
export type ExchangeToken = z.infer<typeof exchangeTokenSchema>;
export type InstanceId = z.infer<typeof instanceIdSchema>;
export type FunctionName = z.infer<typeof functionNameSchema>;
export type ScheduleName = z.infer<typeof scheduleNameSchema>;
export type InvocationId = z.infer<typeof invocationIdSchema>;
/** `<function>-r<n>` */
export type RevisionId = string & { readonly __revisionId: true };

/** Checks a name from outside, or throws `bad_name` with the field. */
export function parseName<T extends z.ZodType>(schema: T, value: unknown, field: string): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : typeof value;
  throw new LongshoreError("bad_name", `Cannot use ${shown} as ${field}: ${parsed.error.issues[0]?.message ?? idRule}`, { field });
}

/** The id of a function's n-th revision. */
export function revisionIdOf(functionName: FunctionName, revision: number): RevisionId {
  return `${functionName}-r${revision}` as RevisionId;
}
