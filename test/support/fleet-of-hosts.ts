import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import type { AgentCredential } from "../../packages/agent/src/join/credential.ts";
import { join } from "../../packages/agent/src/join/join.ts";
import type { NatsBus } from "../../packages/broker/src/bus/nats.ts";
import { type Certificates, loadOrCreateCertificates } from "../../packages/broker/src/identity/certificate-authority.ts";
import { createIdentity, type Identity } from "../../packages/broker/src/identity/identity.ts";
import { type JoinFront, startJoinFront } from "./join-front.ts";
import { TestBus } from "./nats.ts";
import { silentLog } from "./silent-log.ts";

export interface FleetOptions {
  readonly tls?: boolean;
  /** The brokers' clock. */
  readonly now?: () => number;
  readonly credentialLifeMs?: number;
}

/** A bus, a broker's identity and its door, and hosts (folders) that join by it. */
export class FleetOfHosts implements AsyncDisposable {
  readonly testBus: TestBus;
  readonly broker: NatsBus;
  readonly identity: Identity;
  readonly front: JoinFront;
  readonly firstKey: string | undefined;
  readonly certificates: Certificates | undefined;
  readonly #folders: string[];

  private constructor(parts: Pick<FleetOfHosts, "testBus" | "broker" | "identity" | "front" | "firstKey" | "certificates">, folders: string[]) {
    this.testBus = parts.testBus;
    this.broker = parts.broker;
    this.identity = parts.identity;
    this.front = parts.front;
    this.firstKey = parts.firstKey;
    this.certificates = parts.certificates;
    this.#folders = folders;
  }

  static async start(options: FleetOptions = {}): Promise<FleetOfHosts> {
    const folders: string[] = [];
    const certificates = options.tls === true ? await loadOrCreateCertificates(newFolder(folders), []) : undefined;
    const testBus = await TestBus.start(certificates === undefined ? {} : { tls: { ...certificates, ca: certificates.ca.pem } });
    const broker = await testBus.broker("b1");
    const front = await startJoinFront(() => identity, certificates);
    const identity = identityOf(testBus, broker, front.url, certificates, options);
    const { firstKey } = await identity.start();
    return new FleetOfHosts({ testBus, broker, identity, front, firstKey, certificates }, folders);
  }

  /** A second broker's view of the same fleet. */
  async anotherIdentity(brokerId: string, options: FleetOptions = {}): Promise<{ identity: Identity; firstKey: string | undefined }> {
    const identity = identityOf(this.testBus, await this.testBus.broker(brokerId), this.front.url, this.certificates, options);
    this.testBus.closeWith(async () => identity.close());
    return { identity, ...(await identity.start()) };
  }

  /** The data folder of a new host. */
  newHost(): string {
    return newFolder(this.#folders);
  }

  /** Makes a token and joins a new host by it. */
  async join(hostName: string, request: { site?: string; agentId?: string; labels?: Record<string, string> } = {}): Promise<{ dataFolder: string; credential: AgentCredential }> {
    const { token } = await this.identity.createToken({ site: "plant", labels: {}, ...request });
    const dataFolder = this.newHost();
    return { dataFolder, credential: await join(token, { hostName, dataFolder }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.identity.close();
    await this.front[Symbol.asyncDispose]();
    await this.testBus[Symbol.asyncDispose]();
    for (const folder of this.#folders) rmSync(folder, { recursive: true });
  }
}

function identityOf(testBus: TestBus, broker: NatsBus, url: string, certificates: Certificates | undefined, options: FleetOptions): Identity {
  return createIdentity({
    store: broker.store,
    access: testBus.bus.access,
    joinUrls: () => [url],
    agentServers: () => testBus.bus.access.servers,
    ca: certificates?.ca,
    log: silentLog,
    ...(options.now !== undefined && { now: options.now }),
    ...(options.credentialLifeMs !== undefined && { credentialLifeMs: options.credentialLifeMs }),
  });
}

function newFolder(folders: string[]): string {
  const folder = mkdtempSync(joinPath(tmpdir(), "longshore-host-"));
  folders.push(folder);
  return folder;
}
