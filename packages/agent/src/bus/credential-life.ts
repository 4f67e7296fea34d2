import { z } from "zod";

const timesSchema = z.object({ iat: z.number(), exp: z.number().optional() });

/** When a credential was issued and when the server closes its connections, epoch milliseconds. */
export interface CredentialLife {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Reads a JWT's times (its signature is the server's to check); undefined for one that never expires. Throws for what is no JWT. */
export function lifeOf(jwt: string): CredentialLife | undefined {
  const { iat, exp } = timesSchema.parse(JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()));
  return exp === undefined ? undefined : { issuedAtMs: iat * 1000, expiresAtMs: exp * 1000 };
}

/** How long until a credential is to be renewed: at two thirds of its life, so that a broker may be away for the last third. */
export function untilRenewalMs(life: CredentialLife, nowMs: number): number {
  return Math.max(0, life.issuedAtMs + ((life.expiresAtMs - life.issuedAtMs) * 2) / 3 - nowMs);
}
