import { createHmac } from "node:crypto";
import { LongshoreError, webhookKeyOf } from "@longshore/protocol";

/** What is signed of a webhook. */
export interface SignedParts {
  /** The same for every delivery of it; without a full stop. */
  readonly id: string;
  /** When this delivery is sent, in seconds since 1970. */
  readonly timestampSeconds: number;
  readonly body: Uint8Array;
}

/**
 * The `webhook-signature` of a delivery (Standard Webhooks 1.0): for each secret `v1,` and the HMAC-SHA256 over id, timestamp and body in base64, with
 * spaces between. Throws `unexpected` for a secret that is none.
 */
export function signWebhook({ id, timestampSeconds, body }: SignedParts, secrets: readonly string[]): string {
  return secrets.map((secret) => `v1,${createHmac("sha256", keyOf(secret)).update(`${id}.${timestampSeconds}.`).update(body).digest("base64")}`).join(" ");
}

function keyOf(secret: string): Uint8Array {
  const key = webhookKeyOf(secret);
  if (key === undefined) throw new LongshoreError("unexpected", "Cannot sign a webhook: its secret is no webhook secret");
  return key;
}
