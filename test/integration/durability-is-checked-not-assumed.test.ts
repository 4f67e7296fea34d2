import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { healthSchema } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { createBroker } from "../../packages/broker/src/broker.ts";
import type { BusAccess } from "../../packages/broker/src/bus/access.ts";
import { writeCredentialFiles } from "../../packages/broker/src/bus/credential-files.ts";
import { resolveBrokerConfig } from "../../packages/broker/src/config.ts";
import { durabilityOf } from "../../packages/broker/src/durability/durability.ts";
import { createLook } from "../../packages/broker/src/durability/look.ts";
import { type AlteredNats, clusterLines, freePorts, startAlteredNats } from "../support/altered-nats.ts";
import { TestBus } from "../support/nats.ts";
import { silentLog } from "../support/silent-log.ts";

/** What a broker with that access makes of its bus. */
async function judge(access: BusAccess, ...monitoring: string[]): Promise<string> {
  const look = createLook({ access, monitoring, log: silentLog });
  return look === undefined ? "nothing to look by" : durabilityOf(await look()).state;
}

/** Something that is no nats-server, under a monitoring address. */
async function serve(listener: RequestListener): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

describe("an embedded bus", () => {
  it("is verified by what its server says", async () => {
    await using testBus = await TestBus.start();
    await testBus.broker("b-1");
    expect(await judge(testBus.bus.access)).toBe("verified");
  });

  it("is found out when its server runs otherwise than we wrote", async () => {
    await using server = await startAlteredNats({ syncInterval: "2m" });
    await server.broker("b-1");
    expect(await judge(server.access)).toBe("not_durable");
  });

  it("is assumed while its server does not answer", async () => {
    await using server = await startAlteredNats({ syncInterval: "always" });
    await server.broker("b-1");
    await server.stop();
    expect(await judge(server.access)).toBe("assumed");
  });
});

describe("a server of somebody else's", () => {
  it.each([
    ["its default", undefined, "not_durable"],
    ["each second", "1s", "not_durable"],
    ["always", "always", "verified"],
  ])("that syncs %s is seen over its monitoring", async (_, syncInterval, state) => {
    await using server = await startAlteredNats(syncInterval === undefined ? {} : { syncInterval });
    await server.broker("b-1");
    expect(await judge(server.accessWithoutSystem, server.monitoringUrl())).toBe(state);
  });

  it("is assumed without monitoring and system account, or where another bus is monitored", async () => {
    await using server = await startAlteredNats({ syncInterval: "always" });
    await using other = await startAlteredNats({ syncInterval: "always" });
    await Promise.all([server.broker("b-1"), other.broker("b-2")]);
    expect(await judge(server.accessWithoutSystem)).toBe("nothing to look by");
    expect(await judge(server.accessWithoutSystem, other.monitoringUrl())).toBe("assumed");
  });

  it.each<[string, RequestListener]>([
    ["never answers", () => undefined],
    ["never ends its answer", (_, response) => void response.writeHead(200).write("{")],
    ["breaks off", (_, response) => void response.writeHead(200, { "Content-Length": 100 }).write("{", () => response.destroy())],
    ["answers without end", (_, response) => void response.writeHead(200).end("[".repeat(2 ** 21))],
    ["answers 404", (_, response) => void response.writeHead(404).end("{}")],
    ["sends elsewhere", (_, response) => void response.writeHead(302, { Location: "http://127.0.0.1:1/" }).end()],
    ["answers other JSON", (_, response) => void response.end('{"server_id":"x","config":7}')],
  ])("is assumed when its monitoring %s", async (_, listener) => {
    const monitoring = await serve(listener);
    try {
      await using testBus = await TestBus.start();
      expect(await judge({ ...testBus.bus.access, revocation: undefined }, monitoring.url)).toBe("assumed");
    } finally {
      monitoring.close();
    }
  });
});

describe("a cluster of three", () => {
  async function judgeBothWays(servers: readonly AlteredNats[]): Promise<readonly string[]> {
    const [first] = servers;
    if (first === undefined) throw new Error("there is no server");
    return [await judge(first.access), await judge(first.accessWithoutSystem, ...servers.map((server) => server.monitoringUrl()))];
  }

  it("is verified only when each of its servers syncs and is heard", async () => {
    const ports = await freePorts(3);
    const lines = (index: number) => clusterLines(index, ports);
    await using one = await startAlteredNats({ syncInterval: "always", lines: lines(0) });
    await using two = await startAlteredNats({ syncInterval: "always", lines: lines(1), like: one });
    await using three = await startAlteredNats({ syncInterval: "2m", lines: lines(2), like: one });
    const servers = [one, two, three];
    await one.broker("b-1", 3);
    expect(await judgeBothWays(servers)).toEqual(["not_durable", "not_durable"]);

    await three.restart({ syncInterval: "always", lines: lines(2) });
    await expect.poll(() => judgeBothWays(servers), { timeout: 20_000 }).toEqual(["verified", "verified"]);

    expect(await judge(one.accessWithoutSystem, one.monitoringUrl(), two.monitoringUrl())).toBe("assumed");
    const urls = servers.map((server) => server.monitoringUrl());
    await three.stop();
    expect([await judge(one.access), await judge(one.accessWithoutSystem, ...urls)]).toEqual(["assumed", "assumed"]);
  });
});

describe("a broker", () => {
  it("tells of it in /readyz and /metrics, and looks again when it reaches its bus again", async () => {
    await using server = await startAlteredNats({ syncInterval: "2m" });
    const busCredentials = join(server.folder, "credentials");
    writeCredentialFiles(busCredentials, server.access);
    const broker = createBroker(resolveBrokerConfig({ flags: { dataFolder: join(server.folder, "broker"), listen: "127.0.0.1:0", busCredentials } }), { log: silentLog });
    try {
      const { url } = await broker.start();
      const readyz = async () => healthSchema.parse(await (await fetch(new URL("/readyz", url))).json());
      expect(await readyz()).toMatchObject({ status: "ok", durability: { state: "not_durable", mend: expect.stringContaining("sync_interval: always") as string } });
      expect(await (await fetch(new URL("/metrics", url))).text()).toContain('longshore_bus_durability{state="not_durable"} 1\n');

      await server.restart({ syncInterval: "always" });
      await expect.poll(async () => (await readyz()).durability?.state, { timeout: 20_000 }).toBe("verified");
      expect(await (await fetch(new URL("/metrics", url))).text()).toContain('longshore_bus_durability{state="not_durable"} 0\n');
    } finally {
      await broker.close();
    }
  });
});
