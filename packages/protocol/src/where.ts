import { z } from "zod";
import { LongshoreError } from "./error.ts";
import { siteIdSchema } from "./names.ts";

/** A label's key: `gpu`, `acme.com/rack`; `host/…` holds what an agent says of itself. */
export const labelKeySchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9./_-]{0,61}[a-z0-9])?$/, "must be 1 to 63 of a-z, 0-9 and . / _ -");
export const labelValueSchema = z.string().regex(/^[A-Za-z0-9._:/+-]{0,128}$/, "must be at most 128 of A-Z, a-z, 0-9 and . _ : / + -");
export const labelsSchema = z.record(labelKeySchema, labelValueSchema);
export type Labels = z.infer<typeof labelsSchema>;

/** Where one call may run. It only narrows what its function allows. */
export const whereSchema = z.strictObject({
  site: siteIdSchema.optional(),
  agent: z.string().optional(),
  labels: labelsSchema.optional(),
});
export type Where = z.infer<typeof whereSchema>;

/** Reads `site=plant,label.gpu=true,agent=a1` (the header's and the CLI's form), or throws naming the field. */
export function parseWhere(text: string, field: string): Where {
  const labels: Record<string, string> = {};
  const draft: Record<string, unknown> = {};
  for (const part of text.split(",").map((piece) => piece.trim()).filter((piece) => piece !== "")) {
    const [key, value] = splitOnce(part);
    if (value === undefined) throw slip(field, `${JSON.stringify(part.slice(0, 40))} is not key=value`);
    if (key.startsWith("label.")) labels[key.slice(6)] = value;
    else if (key === "site" || key === "agent") draft[key] = value;
    else throw slip(field, `${JSON.stringify(key.slice(0, 40))} is none of site, agent, label.<key>`);
  }
  if (Object.keys(labels).length > 0) draft["labels"] = labels;
  const parsed = whereSchema.safeParse(draft);
  if (!parsed.success) throw slip(field, `${String(parsed.error.issues[0]?.path.join("."))} ${parsed.error.issues[0]?.message ?? "is invalid"}`);
  return parsed.data;
}

/** Writes a where in the header's form. */
export function formatWhere(where: Where): string {
  const parts: string[] = [];
  if (where.site !== undefined) parts.push(`site=${where.site}`);
  if (where.agent !== undefined) parts.push(`agent=${where.agent}`);
  for (const [key, value] of Object.entries(where.labels ?? {})) parts.push(`label.${key}=${value}`);
  return parts.join(",");
}

function splitOnce(part: string): [key: string, value: string | undefined] {
  const at = part.indexOf("=");
  return at === -1 ? [part, undefined] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

function slip(field: string, what: string): LongshoreError {
  return new LongshoreError("bad_schema", `Cannot read ${field}: ${what}`, { field });
}
