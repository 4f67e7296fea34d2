import { type InvocationRecord, encodeJson, type WebhookEvent } from "@longshore/protocol";

/** Longer answers are fetched by whoever wants them. */
export const maxWebhookBodyBytes = 64 * 1024;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The body of the webhook that tells of a terminal record: JSON, `webhookEventSchema`. `body` is the answer's, where it is kept. */
export function webhookBody(record: InvocationRecord, body: Uint8Array | undefined): Uint8Array {
  const event: WebhookEvent = {
    type: `invocation.${record.result.outcome}`,
    timestamp: record.finishedAt,
    data: { record: withoutSecrets(record), ...(record.resultKept && body !== undefined && Math.max(body.length, record.resultBytes) <= maxWebhookBodyBytes && { body: bodyOf(body) }) },
  };
  return encodeJson(event);
}

/** An answer's cookies, tokens and challenges are for whoever called, who is not there any more. */
function withoutSecrets({ resultHeaders, ...record }: InvocationRecord): InvocationRecord {
  return { ...record, ...(resultHeaders !== undefined && { resultHeaders: resultHeaders.filter(([name]) => /^content-/i.test(name)) }) };
}

/** Text stays text, to the byte; whatever is none becomes base64. */
function bodyOf(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: decoder.decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString("base64") };
  }
}
