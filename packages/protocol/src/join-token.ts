import { z } from "zod";
import { LongshoreError } from "./error.ts";

/**
 * What a join token says, once taken apart: where to join, what the broker's certificate authority must be, and the secret that is
 * traded once for a credential.
 */
export const joinTokenSchema = z.object({
  v: z.literal(1),
  /** The broker's addresses, tried in order. */
  urls: z.array(z.url({ protocol: /^https?$/ })).min(1).max(16),
  /** SHA-256 of the certificate authority (DER), hex. Absent: the system's own authorities are trusted (or, on http, none). */
  caSha256: z.string().regex(/^[0-9a-f]{64}$/).optional(),
  id: z.string().regex(/^[a-z0-9]{1,64}$/),
  secret: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
});
export type JoinToken = z.infer<typeof joinTokenSchema>;

const mark = "lsj_";

/** Writes a token as the one word that an operator carries to a host. */
export function formatJoinToken(token: JoinToken): string {
  return mark + btoa(JSON.stringify(token)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Reads a token, or throws `token_invalid` saying that it is not whole. */
export function parseJoinToken(text: string): JoinToken {
  const trimmed = text.trim();
  if (!trimmed.startsWith(mark)) throw notAToken(`it does not begin with ${mark}`);
  try {
    const json: unknown = JSON.parse(atob(trimmed.slice(mark.length).replaceAll("-", "+").replaceAll("_", "/")));
    return joinTokenSchema.parse(json);
  } catch (cause) {
    throw notAToken("it is cut short or changed; copy it whole", cause);
  }
}

function notAToken(what: string, cause?: unknown): LongshoreError {
  return new LongshoreError("token_invalid", `Cannot read the join token: ${what}`, { field: "token", cause });
}

/** The text a host signs to show that it holds the key it joins with. */
export const joinProofText = (tokenId: string) => `longshore-join:${tokenId}`;
/** The text an agent signs for a fresh credential; `at` is its clock, epoch milliseconds. */
export const renewProofText = (agentId: string, at: number) => `longshore-renew:${agentId}:${at}`;
/** How far an agent's clock may be off when it asks for a fresh credential. */
export const renewClockToleranceMs = 5 * 60_000;
