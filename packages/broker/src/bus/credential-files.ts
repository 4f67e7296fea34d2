import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { LongshoreError } from "@longshore/protocol";
import { z } from "zod";
import { isPublicKey, nkeyFromSeed } from "../identity/nkey.ts";
import { writeSecret } from "../identity/secret-file.ts";
import type { BusAccess } from "./access.ts";
import type { Credential } from "./link.ts";

/**
 * How a broker is told of a bus that it does not run itself: a cluster in operator mode, or another broker's embedded server (which
 * writes these files under `nats/credentials/`).
 */
export const clusterConfigSchema = z.strictObject({
  /** `nats://` or `tls://` addresses, tried in random order. */
  servers: z.array(z.string().min(1)).min(1),
  /** CA certificates (PEM) of the servers, where they are not publicly trusted. */
  caFile: z.string().optional(),
  /** Credentials of the core account (JetStream), as `nsc` writes them. */
  coreCredentialsFile: z.string(),
  /** Credentials of the fleet account: publish `longshore.v1.agent.>`, subscribe `longshore.v1.site.>`. */
  fleetCredentialsFile: z.string(),
  /** Public key of the fleet account. */
  fleetAccountKey: z.string().refine((key) => isPublicKey(key, "account"), "must be an account's public key, A…"),
  /** Seed of the scoped signing key for agents. */
  agentSignerFile: z.string(),
  /** Both or neither: the system account's credentials and the operator's (signing) seed, to evict agents at once. */
  systemCredentialsFile: z.string().optional(),
  operatorSeedFile: z.string().optional(),
});
export type ClusterConfig = z.input<typeof clusterConfigSchema>;

const fileNames = { core: "core.creds", fleet: "fleet.creds", system: "system.creds", agentSigner: "agent-signer.seed", operator: "operator.seed", ca: "ca.pem" } as const;

/** Reads what a cluster's configuration points at, or throws `bad_schema` naming the setting. */
export function readClusterAccess(config: ClusterConfig): BusAccess {
  const { systemCredentialsFile, operatorSeedFile } = config;
  if ((systemCredentialsFile === undefined) !== (operatorSeedFile === undefined)) {
    throw slip("operatorSeedFile", "systemCredentialsFile and operatorSeedFile go together");
  }
  return {
    servers: config.servers,
    ca: config.caFile === undefined ? undefined : readText("caFile", config.caFile),
    core: readCredential("coreCredentialsFile", config.coreCredentialsFile),
    fleet: readCredential("fleetCredentialsFile", config.fleetCredentialsFile),
    fleetAccountKey: config.fleetAccountKey,
    agentSignerSeed: readSeed("agentSignerFile", config.agentSignerFile, "account"),
    revocation:
      systemCredentialsFile === undefined || operatorSeedFile === undefined
        ? undefined
        : { system: readCredential("systemCredentialsFile", systemCredentialsFile), operatorSeed: readSeed("operatorSeedFile", operatorSeedFile, "operator") },
  };
}

/** In such a folder: the configuration that names its files. */
export const clusterFileName = "cluster.json";

/** Writes the files by which a second broker reaches this bus, and returns the configuration that names them. */
export function writeCredentialFiles(folder: string, access: BusAccess): ClusterConfig {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const put = (name: string, text: string) => {
    const file = join(folder, name);
    writeSecret(file, text);
    return file;
  };
  const config: ClusterConfig = {
    servers: [...access.servers],
    ...(access.ca !== undefined && { caFile: put(fileNames.ca, access.ca) }),
    coreCredentialsFile: put(fileNames.core, formatCredential(access.core)),
    fleetCredentialsFile: put(fileNames.fleet, formatCredential(access.fleet)),
    fleetAccountKey: access.fleetAccountKey,
    agentSignerFile: put(fileNames.agentSigner, access.agentSignerSeed),
    ...(access.revocation !== undefined && {
      systemCredentialsFile: put(fileNames.system, formatCredential(access.revocation.system)),
      operatorSeedFile: put(fileNames.operator, access.revocation.operatorSeed),
    }),
  };
  put(clusterFileName, `${JSON.stringify(config, undefined, 2)}\n`);
  return config;
}

function formatCredential({ jwt, seed }: Credential): string {
  return `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
}

function readCredential(field: string, file: string): Credential {
  const [jwt, seed] = [...readText(field, file, true).matchAll(/-{3,}BEGIN [^\n]*-{3,}\s+(\S+)\s+-{3,}END /g)].map((match) => match[1]);
  if (jwt === undefined || seed === undefined) throw slip(field, `${file} holds no NATS credentials`);
  return { jwt, seed };
}

function readSeed(field: string, file: string, role: "account" | "operator"): string {
  try {
    return nkeyFromSeed(readText(field, file, true), role).seed;
  } catch (error) {
    if (error instanceof LongshoreError) throw error;
    throw slip(field, `${file} is ${error instanceof Error ? error.message : "damaged"}`);
  }
}

function readText(field: string, file: string, isSecret = false): string {
  try {
    if (isSecret && (statSync(file).mode & 0o077) !== 0) throw slip(field, `others may read ${file}; run chmod 600 on it`);
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof LongshoreError) throw error;
    throw slip(field, `${file} cannot be read`);
  }
}

function slip(field: string, what: string): LongshoreError {
  return new LongshoreError("bad_schema", `Cannot read bus.cluster.${field}: ${what}`, { field: `bus.cluster.${field}` });
}
