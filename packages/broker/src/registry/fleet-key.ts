import { readFileSync } from "node:fs";
import { LongshoreError } from "@longshore/protocol";
import type { Store } from "../bus/bus.ts";
import { createSealKey, type SealKey, sealKeyOf } from "./seal.ts";

const bucketName = "seal-keys";
const entryName = "functions";

/**
 * The key that all brokers of a fleet seal secrets with: from a file (32 bytes, base64) where the operator gave one, so that whoever
 * reads the bus's disk cannot read secrets; else made once and kept on the bus, out of the way of listings, logs and backups of the
 * functions alone.
 */
export async function loadFleetKey(store: Store, keyFile: string | undefined): Promise<SealKey> {
  if (keyFile !== undefined) return readKey(readKeyFile(keyFile));
  const bucket = await store.bucket(bucketName, { history: 1, ttlMs: 0, storage: "file" });
  const fresh = createSealKey();
  const isFirst = (await bucket.create(entryName, Buffer.from(Buffer.from(fresh.bytes).toString("base64")))) !== undefined;
  if (isFirst) return fresh;
  const stored = await bucket.get(entryName);
  if (stored === undefined) throw new LongshoreError("unexpected", "Cannot read the fleet's seal key: it was removed");
  return readKey(Buffer.from(stored.value).toString("utf8"));
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new LongshoreError("bad_schema", `Cannot read the seal key from "${file}"`, { field: "sealKeyFile", cause });
  }
}

function readKey(text: string): SealKey {
  return sealKeyOf(Buffer.from(text.trim(), "base64"));
}
