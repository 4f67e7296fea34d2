import { type FunctionDocument, functionDocumentSchema, LongshoreError } from "@longshore/protocol";
import type { FieldName } from "./fields.ts";

/** A function document in the making: some of its fields, and where each was written. */
export interface Draft {
  readonly values: Readonly<Partial<Record<FieldName, unknown>>>;
  /** Where a value stands, for people: `longshore.yaml:7: env.PORT`, `--env`. */
  readonly locate: (path: readonly PropertyKey[]) => string;
}

/** Two drafts as one. Fields of `over` win; `env`, `secrets`, `placement` and `destinations` are merged key by key. */
export function overlay(under: Draft, over: Draft): Draft {
  const merged: Partial<Record<FieldName, unknown>> = { ...under.values, ...over.values };
  for (const name of ["env", "secrets", "placement", "destinations"] as const) {
    if (under.values[name] !== undefined && over.values[name] !== undefined) merged[name] = { ...(under.values[name] as object), ...(over.values[name] as object) };
  }
  return { values: merged, locate: (path) => (isIn(over.values, path) ? over.locate(path) : under.locate(path)) };
}

function isIn(value: unknown, path: readonly PropertyKey[]): boolean {
  const [key, ...rest] = path.slice(0, 2);
  if (key === undefined) return true;
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) && isIn((value as Record<PropertyKey, unknown>)[key], rest);
}

/** The finished document, checked as a broker will check it. Throws `bad_schema` that says where the fault was written. */
export function finishDocument(draft: Draft): FunctionDocument & { readonly name: string; readonly image: string } {
  const parsed = functionDocumentSchema.safeParse(draft.values);
  if (parsed.success) return draft.values as unknown as ReturnType<typeof finishDocument>;
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
  const field = path.map(String).join(".");
  const isMissing = path.length === 1 && draft.values[path[0] as FieldName] === undefined;
  const what = isMissing ? "is missing" : (issue?.message ?? "is invalid");
  throw new LongshoreError("bad_schema", `Cannot deploy: ${isMissing ? field : draft.locate(path)}: ${what}`, { field });
}
