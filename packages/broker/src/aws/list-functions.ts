import type { FunctionView } from "@longshore/protocol";
import { AwsError } from "./aws-error.ts";
import { configurationOf } from "./configuration.ts";

const pageSizeMax = 50;

/** ListFunctions' answer: a page in order of names, `Marker` the last name before it. */
export function listFunctions(views: readonly FunctionView[], query: URLSearchParams): Record<string, unknown> {
  if (query.has("FunctionVersion")) throw new AwsError("InvalidParameterValueException", 400, "FunctionVersion is not here: GetFunction with a qualifier reads an earlier revision");
  const size = Math.min(readCount(query.get("MaxItems")) ?? pageSizeMax, pageSizeMax);
  const after = query.get("Marker") ?? "";
  const left = views.filter(({ name }) => name > after).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const page = left.slice(0, size);
  return { Functions: page.map((view) => configurationOf(view)), ...(left.length > size && { NextMarker: page.at(-1)?.name }) };
}

function readCount(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 10_000) return Number(text);
  throw new AwsError("InvalidParameterValueException", 400, "MaxItems must be a whole number from 1 to 10000");
}
