import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { LongshoreError } from "@longshore/protocol";

/** The key that keeps functions' secrets unreadable at rest. */
export interface SealKey {
  /** Tells which key sealed something. */
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

const nonceBytes = 12;
const tagBytes = 16;

/** A key of these 32 bytes, with its id. */
export function sealKeyOf(bytes: Uint8Array): SealKey {
  if (bytes.length !== 32) throw new LongshoreError("bad_schema", `Cannot use the seal key: it has ${bytes.length} bytes, not 32`, { field: "sealKeyFile" });
  return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 16), bytes };
}

/** A fresh key. */
export function createSealKey(): SealKey {
  return sealKeyOf(randomBytes(32));
}

/** Seals a text (AES-256-GCM) for one place: it opens nowhere else, so that a stored secret cannot be moved to another function. */
export function seal(text: string, place: string, key: SealKey): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce).setAAD(Buffer.from(place));
  const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${key.id}:${sealed.toString("base64")}`;
}

/** Opens what {@link seal} made for that place; throws `unexpected` for another key, another place, or a change. */
export function unseal(sealed: string, place: string, key: SealKey): string {
  const [id, base64] = sealed.split(":");
  if (id !== key.id) throw new LongshoreError("unexpected", `Cannot open the secrets of ${place}: they were sealed with key ${id ?? ""}, and this broker has ${key.id}`);
  const bytes = Buffer.from(base64 ?? "", "base64");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(-tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new LongshoreError("unexpected", `Cannot open the secrets of ${place}: they were changed`, { cause });
  }
}
