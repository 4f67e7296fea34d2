import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { coreAccountJwt, fleetAccountJwt, operatorJwt, systemAccountJwt } from "../identity/claims.ts";
import { readJson, writeSecret } from "../identity/secret-file.ts";
import type { BusKeys } from "./keys.ts";

const accountsSchema = z.object({ operator: z.string(), system: z.string(), core: z.string(), fleet: z.string(), claimsDigest: z.string() });
/** The JWTs a server is started with. */
export type AccountJwts = z.infer<typeof accountsSchema>;

/**
 * The account JWTs, signed once and kept: the server prefers whatever was issued last, so that signing anew at each start would undo
 * the revocations it has stored. They are signed anew only when this build writes other claims.
 */
export function loadOrSignAccounts(folder: string, keys: BusKeys): AccountJwts {
  const file = join(folder, "accounts.json");
  const fresh = sign(keys);
  const stored = accountsSchema.safeParse(readJson(file)).data;
  if (stored?.claimsDigest === fresh.claimsDigest) return stored;
  writeSecret(file, JSON.stringify(fresh));
  return fresh;
}

function sign(keys: BusKeys): AccountJwts {
  const jwts = {
    operator: operatorJwt(keys.operator, keys.systemAccount.publicKey),
    system: systemAccountJwt(keys.operator, keys.systemAccount.publicKey),
    core: coreAccountJwt(keys.operator, keys.coreAccount.publicKey),
    // Dated back, so that a revocation within the same second counts as later.
    fleet: fleetAccountJwt(keys.operator, { accountKey: keys.fleetAccount.publicKey, agentSignerKey: keys.agentSigner.publicKey, issuedAt: Math.floor(Date.now() / 1000) - 5 }),
  };
  return { ...jwts, claimsDigest: digestOfClaims(Object.values(jwts)) };
}

/** What the JWTs say, but for when they were signed. */
function digestOfClaims(jwts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const jwt of jwts) {
    const claims = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
    hash.update(JSON.stringify({ ...claims, iat: undefined, jti: undefined }));
  }
  return hash.digest("hex");
}
