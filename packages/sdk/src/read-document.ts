import { LongshoreError } from "@longshore/protocol";
import type { z } from "zod";

/** What a broker answered, by its schema; throws `bad_answer` when it is not what this client knows. */
export function readDocument<Schema extends z.ZodType>(schema: Schema, document: unknown, path: string): z.output<Schema> {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LongshoreError("bad_answer", `Cannot read what the broker answered at ${path}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is invalid"}`, { cause: parsed.error });
}
