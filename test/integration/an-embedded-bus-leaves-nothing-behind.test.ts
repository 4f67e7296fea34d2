import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { jwtAuthenticator, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { afterEach, describe, expect, it } from "vitest";
import type { BrokerId } from "@longshore/protocol";
import type { BusAccess } from "../../packages/broker/src/bus/access.ts";
import { type ClusterConfig, readClusterAccess } from "../../packages/broker/src/bus/credential-files.ts";
import { createBus } from "../../packages/broker/src/bus/nats.ts";
import { createEmbeddedServer } from "../../packages/broker/src/embedded/server.ts";
import { natsServerExecutable, TestBus } from "../support/nats.ts";
import { silentLog } from "../support/silent-log.ts";

const folders: string[] = [];
const children: ChildProcess[] = [];
const connections: NatsConnection[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "longshore-embedded-"));
  folders.push(folder);
  return folder;
}

const serverOn = (dataFolder: string, executable = natsServerExecutable) => createEmbeddedServer({ dataFolder, executable, listen: { host: "127.0.0.1", port: 0 }, log: silentLog });

/** Another process that runs an embedded bus, and a connection by whose end one knows of its server's. */
async function runElsewhere(dataFolder: string, environment: NodeJS.ProcessEnv = {}): Promise<{ owner: ChildProcess; toServer: NatsConnection }> {
  const script = join(import.meta.dirname, "../support/embedded-bus-process.ts");
  const owner = spawn(process.execPath, ["--no-warnings", script, dataFolder], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...environment } });
  children.push(owner);
  const [line] = (await once(createInterface({ input: owner.stdout }), "line")) as [string];
  const { servers, core } = JSON.parse(line) as BusAccess;
  const toServer = await connect({ servers: [...servers], authenticator: jwtAuthenticator(core.jwt, new TextEncoder().encode(core.seed)), reconnect: false });
  connections.push(toServer);
  return { owner, toServer };
}

/** A program that says it is some version of nats-server. */
function pretender(version: string): string {
  const file = join(newFolder(), "nats-server");
  writeFileSync(file, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("an embedded bus", () => {
  it("ends with its process, even when that is killed", async () => {
    const { owner, toServer } = await runElsewhere(newFolder());
    owner.kill("SIGKILL");
    await toServer.closed();
  });

  it("is ended at the next start where nothing else ended it", async () => {
    const folder = newFolder();
    // Without setpriv on its PATH the process cannot have the kernel end its server.
    const { owner, toServer } = await runElsewhere(folder, { PATH: "/nonexistent" });
    owner.kill("SIGKILL");
    await once(owner, "exit");
    await toServer.flush(); // It runs on.
    const server = serverOn(folder);
    await server.start();
    await toServer.closed();
    await server.close();
  });

  it("is not started on the data folder of another that runs", async () => {
    const folder = newFolder();
    const { owner, toServer } = await runElsewhere(folder);
    await expect(serverOn(folder).start()).rejects.toThrow(`process ${owner.pid ?? ""} already runs one`);
    await toServer.flush(); // It was left alone.
  });

  it("says what to install instead of what is missing or too old", async () => {
    await expect(serverOn(newFolder(), "/nonexistent/nats-server").start()).rejects.toThrow("install nats-server 2.14 or newer");
    await expect(serverOn(newFolder(), pretender("2.9.10")).start()).rejects.toThrow("it is version 2.9.10; install nats-server 2.14 or newer");
  });

  it("says how its server ended when that does not come up", async () => {
    await expect(serverOn(newFolder(), pretender("2.15.0")).start()).rejects.toThrow("Cannot start nats-server: exit code 0");
  });

  it("keeps its secrets in files that only their owner may read", async () => {
    await using testBus = await TestBus.start();
    const folder = join(testBus.dataFolder, "nats");
    const secrets = ["keys.json", "accounts.json", "nats-server.conf", ...readdirSync(join(folder, "credentials")).map((name) => join("credentials", name))];
    for (const file of secrets) expect(statSync(join(folder, file)).mode & 0o077, file).toBe(0);
    for (const each of [testBus.dataFolder, folder, join(folder, "credentials")]) expect(statSync(each).mode & 0o077, each).toBe(0);
    expect(secrets).toHaveLength(9);
  });

  it("keeps keys and port for good: whoever was admitted comes back after a restart", async () => {
    await using testBus = await TestBus.start();
    const [keys, port, credential] = [readFileSync(join(testBus.dataFolder, "nats", "keys.json"), "utf8"), testBus.bus.port, testBus.credential("plant", "a1")];
    await testBus.stopServer();
    expect(existsSync(join(testBus.dataFolder, "nats", "nats-server.json"))).toBe(false);
    await testBus.startServer();
    expect(readFileSync(join(testBus.dataFolder, "nats", "keys.json"), "utf8")).toBe(keys);
    expect(testBus.bus.port).toBe(port);
    await testBus.connection(credential);
  });

  it("refuses to begin anew over damaged keys", async () => {
    const folder = newFolder();
    const server = serverOn(folder);
    await server.start();
    await server.close();
    writeFileSync(join(folder, "nats", "keys.json"), "{}");
    await expect(serverOn(folder).start()).rejects.toThrow("keys.json is damaged");
  });
});

describe("a broker with a cluster of its own", () => {
  const configOf = (testBus: TestBus, changes: Partial<ClusterConfig> = {}): ClusterConfig => {
    const file = (name: string) => join(testBus.dataFolder, "nats", "credentials", name);
    const { servers, fleetAccountKey } = testBus.bus.access;
    return { servers: [...servers], coreCredentialsFile: file("core.creds"), fleetCredentialsFile: file("fleet.creds"), fleetAccountKey, agentSignerFile: file("agent-signer.seed"), ...changes };
  };

  it("is told of it by credential files, as an embedded bus writes them", async () => {
    await using testBus = await TestBus.start();
    const { servers, core, fleet } = readClusterAccess(configOf(testBus));
    const bus = createBus({ brokerId: "b2" as BrokerId, core: { servers, credential: core }, fleet: { servers, credential: fleet }, log: silentLog });
    await bus.start();
    expect(bus.connected).toBe(true);
    await bus.close();
  });

  it("refuses to start with credentials that the servers refuse", async () => {
    await using testBus = await TestBus.start();
    const { servers, core, fleet } = testBus.bus.access;
    const bus = createBus({ brokerId: "b2" as BrokerId, core: { servers, credential: { ...core, seed: fleet.seed } }, fleet: { servers, credential: fleet }, log: silentLog });
    await expect(bus.start()).rejects.toThrow(expect.objectContaining({ reason: "bus_down" }));
    await bus.close();
  });

  it("names the setting whose file is missing, readable by others, or something else", async () => {
    await using testBus = await TestBus.start();
    const open = join(newFolder(), "open.creds");
    writeFileSync(open, "text", { mode: 0o644 });
    const other = join(newFolder(), "other.creds");
    writeFileSync(other, "text", { mode: 0o600 });
    const cases: [keyof ClusterConfig, string, string][] = [
      ["coreCredentialsFile", "/nonexistent", "cannot be read"],
      ["fleetCredentialsFile", open, "chmod 600"],
      ["coreCredentialsFile", other, "holds no NATS credentials"],
      ["agentSignerFile", other, "not the seed of an account key"],
      ["operatorSeedFile", other, "go together"],
    ];
    for (const [field, file, why] of cases) {
      expect(() => readClusterAccess(configOf(testBus, { [field]: file })), field).toThrow(expect.objectContaining({ field: `bus.cluster.${field}`, message: expect.stringContaining(why) as unknown }));
    }
  });
});
