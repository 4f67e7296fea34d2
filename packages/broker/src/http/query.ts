import { LongshoreError } from "@longshore/protocol";

/** A query parameter that is a whole number; what is none stays as it is, for a schema to refuse. */
export function readNumber(text: string): unknown {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** Every query parameter, for a schema to read: those that are named as whole numbers. */
export function readGiven(query: URLSearchParams, numbers: readonly string[]): Record<string, unknown> {
  return Object.fromEntries([...query].map(([name, value]) => [name, numbers.includes(name) ? readNumber(value) : value]));
}

/** A query parameter that is on or off: absent is off, without a value on. Throws `bad_schema` naming it for anything else. */
export function readFlag(query: URLSearchParams, field: string): boolean {
  const text = query.get(field);
  if (text === null || text === "false") return false;
  if (text === "true" || text === "") return true;
  throw new LongshoreError("bad_schema", `Cannot read ${field}: expected true or false`, { phase: "admission", field });
}
