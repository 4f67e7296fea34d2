import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrokerId } from "@longshore/protocol";
import type { BusAccess } from "../../packages/broker/src/bus/access.ts";
import { createBus, type NatsBus } from "../../packages/broker/src/bus/nats.ts";
import { createEmbeddedServer, type EmbeddedServer } from "../../packages/broker/src/embedded/server.ts";
import { natsServerExecutable } from "./nats.ts";
import { silentLog } from "./silent-log.ts";

export interface Alterations {
  /** When written data is synced; absent: nats-server's own default. */
  readonly syncInterval?: string;
  /** Lines for the end of the configuration. */
  readonly lines?: string;
  /** Another server whose accounts this one shares. */
  readonly like?: AlteredNats;
}

/** A nats-server with our accounts and a configuration that is not ours: what operators run. It is monitored over HTTP. */
export interface AlteredNats extends AsyncDisposable {
  readonly access: BusAccess;
  /** The same, as who may not ask the servers anything. */
  readonly accessWithoutSystem: BusAccess;
  readonly folder: string;
  monitoringUrl(): string;
  /** A broker's bus that is connected; closed with the server. */
  broker(brokerId: string, replicas?: number): Promise<NatsBus>;
  /** Ends it and starts it again on its port, altered anew. */
  restart(alterations: Alterations): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one in a folder of its own. */
export async function startAlteredNats(alterations: Alterations): Promise<AlteredNats> {
  const folder = mkdtempSync(join(tmpdir(), "longshore-altered-"));
  const natsFolder = join(folder, "nats");
  const executable = join(folder, "altered-nats-server");
  const opened: NatsBus[] = [];
  const launch = async (alter: Alterations, port: number): Promise<{ server: EmbeddedServer; access: BusAccess; port: number }> => {
    writeFileSync(join(folder, "alterations"), `${alter.lines ?? ""}\nhttp: "127.0.0.1:-1"\njetstream: ${JSON.stringify({ store_dir: join(natsFolder, "jetstream"), sync_interval: alter.syncInterval })}\n`);
    writeFileSync(executable, `#!/bin/sh\n[ "$1" = --config ] && cat ${folder}/alterations >> "$2"\nexec ${natsServerExecutable} "$@"\n`, { mode: 0o700 });
    const server = createEmbeddedServer({ dataFolder: folder, executable, listen: { host: "127.0.0.1", port }, log: silentLog });
    return { server, ...(await server.start()) };
  };
  if (alterations.like !== undefined) {
    mkdirSync(natsFolder);
    for (const file of ["keys.json", "accounts.json"]) writeFileSync(join(natsFolder, file), readFileSync(join(alterations.like.folder, "nats", file)), { mode: 0o600 });
  }
  let running = await launch(alterations, 0);
  const { access } = running;
  return {
    access,
    accessWithoutSystem: { ...access, revocation: undefined },
    folder,
    monitoringUrl: () => readMonitoringUrl(join(natsFolder, "ports")),
    async broker(brokerId, replicas = 1) {
      const { servers, core, fleet } = access;
      const bus = createBus({ brokerId: brokerId as BrokerId, core: { servers, credential: core }, fleet: { servers, credential: fleet }, replicas, log: silentLog });
      opened.push(bus);
      await bus.start();
      return bus;
    },
    async restart(alter) {
      await running.server.close();
      running = await launch(alter, running.port);
    },
    stop: () => running.server.close(),
    async [Symbol.asyncDispose]() {
      for (const bus of opened) await bus.close();
      await running.server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Where it is monitored, as it wrote down. */
function readMonitoringUrl(folder: string): string {
  const [file = ""] = readdirSync(folder);
  const { monitoring } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { monitoring: string[] };
  return monitoring[0] ?? "";
}

/** Ports of loopback that were free a moment ago. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map((server) => new Promise<number>((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)))));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Lines that make one of three servers a member of their cluster. */
export function clusterLines(index: number, routePorts: readonly number[]): string {
  return `server_name: ${JSON.stringify(`n${index}`)}\ncluster: ${JSON.stringify({ name: "three", host: "127.0.0.1", port: routePorts[index], routes: routePorts.map((port) => `nats-route://127.0.0.1:${port}`) })}`;
}
