import { join } from "node:path";
import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import { busAddress, busUrls, certificateNames } from "./addresses.ts";
import type { BusAccess } from "./bus/access.ts";
import { readClusterFolder } from "./bus/cluster-folder.ts";
import { type BrokerConfig, isLoopbackHost } from "./config.ts";
import { createEmbeddedServer } from "./embedded/server.ts";
import { type Certificates, loadOrCreateCertificates } from "./identity/certificate-authority.ts";

/** The bus that a broker works on, and the certificates of its own authority where it has one. */
export interface OpenedBus {
  readonly access: BusAccess;
  /** Where agents reach it. */
  readonly agentServers: readonly string[];
  readonly certificates: (Certificates & { readonly caFile: string }) | undefined;
  /** Ends it, where it is this broker's. Idempotent. */
  close(): Promise<void>;
}

/** Opens the bus that the settings name: a cluster of one's own, else an embedded server as child process. */
export async function openBus(config: BrokerConfig, log: Logger): Promise<OpenedBus> {
  const certificates = config.tls === "own" ? await ownCertificates(config) : undefined;
  if (config.busCredentials !== undefined) {
    const access = readClusterFolder(config.busCredentials);
    return { access, agentServers: access.servers, certificates, close: () => Promise.resolve() };
  }
  const listen = busAddress(config);
  refuseForeignCertificate(config, listen.host);
  const server = createEmbeddedServer({
    dataFolder: config.dataFolder,
    executable: config.natsServer,
    listen,
    ...(certificates !== undefined && { tls: { ...certificates, ca: certificates.ca.pem } }),
    log: log.child({ component: "embedded" }),
  });
  const bus = await server.start();
  return { access: bus.access, agentServers: busUrls(config, bus.port), certificates, close: () => server.close() };
}

async function ownCertificates(config: BrokerConfig) {
  const folder = join(config.dataFolder, "certificates");
  return { ...(await loadOrCreateCertificates(folder, certificateNames(config))), caFile: join(folder, "ca.pem") };
}

/** An embedded bus speaks TLS by the broker's own authority only. */
function refuseForeignCertificate({ tls, insecure }: BrokerConfig, busHost: string): void {
  if (isLoopbackHost(busHost) || tls === "own" || insecure) return;
  throw new LongshoreError("bad_schema", `Cannot let the embedded bus listen on ${busHost} with tls "${tls}": set tls to "own", busListen to a loopback address, or busCredentials for a cluster of your own`, { field: "tls" });
}
