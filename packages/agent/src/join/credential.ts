import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createUser, fromSeed } from "@nats-io/nkeys";
import { agentIdSchema, type JoinAnswer, labelsSchema, LongshoreError, siteIdSchema } from "@longshore/protocol";
import { z } from "zod";

const savedSchema = z.object({
  agentId: agentIdSchema,
  siteId: siteIdSchema,
  labels: labelsSchema,
  jwt: z.string(),
  /** Where the bus is. */
  servers: z.array(z.string()),
  ca: z.string().optional(),
  /** Where the broker that admitted it is, for renewals. */
  brokerUrls: z.array(z.string()),
});
/** What a host was given when it joined, as it stands in the data folder. */
export type SavedCredential = z.infer<typeof savedSchema>;

/** The same with the key that proves it, which never leaves the host. */
export interface AgentCredential extends SavedCredential {
  /** The nkey seed, `SU…`. */
  readonly seed: string;
}

/** What a broker answered, as it is kept. Throws for ids that are none. */
export function toSaved(answer: JoinAnswer, brokerUrls: readonly string[]): SavedCredential {
  return savedSchema.parse({ ...answer, brokerUrls });
}

/** The host's key on the bus. */
export interface HostKey {
  readonly publicKey: string;
  readonly seed: string;
  /** base64url of the signature over a text. */
  prove(text: string): string;
}

const credentialFile = (dataFolder: string) => join(dataFolder, "agent.json");
const seedFile = (dataFolder: string) => join(dataFolder, "agent.seed");

/** The host's key: made at the first call, readable by its owner alone. Throws `bad_schema` for one that others may read or that is damaged. */
export function loadOrCreateKey(dataFolder: string): HostKey {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  chmodSync(dataFolder, 0o700);
  const stored = readSecret(seedFile(dataFolder));
  if (stored !== undefined) return keyOf(stored.trim(), seedFile(dataFolder));
  const seed = new TextDecoder().decode(createUser().getSeed());
  writeSecret(seedFile(dataFolder), `${seed}\n`);
  return keyOf(seed, seedFile(dataFolder));
}

/** What the host was given when it joined; undefined when it has not. Throws `bad_schema` for files that others may read or that are damaged. */
export function loadCredential(dataFolder: string): AgentCredential | undefined {
  const text = readSecret(credentialFile(dataFolder));
  const seed = readSecret(seedFile(dataFolder));
  if (text === undefined || seed === undefined) return undefined;
  try {
    return { ...savedSchema.parse(JSON.parse(text)), seed: seed.trim() };
  } catch (cause) {
    throw damaged(credentialFile(dataFolder), cause);
  }
}

/** Keeps what the host was given. */
export function saveCredential(dataFolder: string, credential: SavedCredential): void {
  writeSecret(credentialFile(dataFolder), `${JSON.stringify(credential, null, 2)}\n`);
}

function keyOf(seed: string, file: string): HostKey {
  try {
    const pair = fromSeed(new TextEncoder().encode(seed));
    return { publicKey: pair.getPublicKey(), seed, prove: (text) => Buffer.from(pair.sign(new TextEncoder().encode(text))).toString("base64url") };
  } catch (cause) {
    throw damaged(file, cause);
  }
}

function readSecret(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if ((found.mode & 0o077) !== 0) throw new LongshoreError("bad_schema", `Cannot use ${file}: others on this host may read it; run chmod 600 ${file}`, { field: file });
  return readFileSync(file, "utf8");
}

function writeSecret(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function damaged(file: string, cause: unknown): LongshoreError {
  return new LongshoreError("bad_schema", `Cannot read ${file}: it is damaged; remove it and join again`, { field: file, cause });
}
