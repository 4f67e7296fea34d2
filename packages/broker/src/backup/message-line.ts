import { z } from "zod";
import type { StoredMessage } from "../bus/stored-message.ts";

const lineSchema = z.object({
  subject: z.string().min(1),
  sequence: z.number().int().positive(),
  storedAtMs: z.number(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  payload: z.base64(),
});

/** A message as one line of JSON, its payload in base64. */
export function formatMessageLine({ payload, ...rest }: StoredMessage): string {
  return `${JSON.stringify({ ...rest, payload: Buffer.from(payload).toString("base64") })}\n`;
}

/** Reads the line back; throws where it is none. */
export function parseMessageLine(line: string): StoredMessage {
  const { payload, ...rest } = lineSchema.parse(JSON.parse(line));
  return { ...rest, payload: Buffer.from(payload, "base64") };
}
