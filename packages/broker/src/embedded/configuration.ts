import { join } from "node:path";
import { maxPayloadBytes } from "../identity/claims.ts";
import type { AccountJwts } from "./accounts.ts";
import type { BusKeys } from "./keys.ts";

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** A certificate and its key, as files the server reads. */
export interface ServerTls {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** CA certificates (PEM) that clients check it against. */
  readonly ca: string;
}

/**
 * The server's configuration (its syntax takes JSON values). JetStream syncs every write: an acknowledged one survives a power cut. A
 * frozen client is dropped after 15 s.
 */
export function serverConfiguration(folder: string, listen: ListenAddress, tls: ServerTls | undefined, keys: BusKeys, jwts: AccountJwts): string {
  const settings: Record<string, unknown> = {
    server_name: "longshore",
    host: listen.host,
    port: listen.port === 0 ? -1 : listen.port,
    ping_interval: "5s",
    ping_max: 2,
    max_payload: maxPayloadBytes,
    jetstream: { store_dir: join(folder, "jetstream"), sync_interval: "always" },
    operator: jwts.operator,
    system_account: keys.systemAccount.publicKey,
    resolver: { type: "full", dir: join(folder, "accounts"), allow_delete: true, interval: "2m" },
    resolver_preload: {
      [keys.systemAccount.publicKey]: jwts.system,
      [keys.coreAccount.publicKey]: jwts.core,
      [keys.fleetAccount.publicKey]: jwts.fleet,
    },
    // Without the handshake first, a greeting stripped of its TLS flag would make a client send its JWT in the clear.
    ...(tls !== undefined && { tls: { cert_file: tls.certificateFile, key_file: tls.keyFile, handshake_first: true } }),
  };
  return Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`).join("");
}
