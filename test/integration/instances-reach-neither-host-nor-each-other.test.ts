import { execFileSync } from "node:child_process";
import { createServer, connect, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDockerEngine } from "../../packages/agent/src/engine/docker.ts";
import type { ContainerSpec } from "../../packages/agent/src/engine/engine.ts";
import { labelKeys } from "../../packages/agent/src/engine/labels.ts";
import { agentHash, planNetworks } from "../../packages/agent/src/engine/networks.ts";
import { type AgentEngine, createAgentEngine, docker, leftOf, type StartedContainer } from "../support/agent-engine.ts";
import { createOutsideHost, type OutsideHost } from "../support/outside-host.ts";

const classes = ["none", "internet"] as const;
const outsideAddress = "198.51.100.77";
/** Within the link-local range of metadata services, yet none of theirs. */
const metadataAddress = "169.254.77.77";

/** Prints what a host says on a port, or `nothing`. */
const ask = (address: string, port: number) => `(nc -w 2 ${address} ${port} </dev/null 2>/dev/null | grep .) || echo nothing`;
/** Says hello to whoever connects to port 8080, and `ready` once it listens. */
const greet = "nc -ll -p 8080 -e /bin/echo hello & until netstat -ltn | grep -q ':8080 '; do sleep 0.02; done; echo ready; wait";
const rules = () => execFileSync("iptables", ["-w", "-S"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

/** Connects from the host. */
function askFromHost(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host: address, port, timeout: 2_000 });
    socket
      .on("data", (chunk) => (text += String(chunk)))
      .on("timeout", () => socket.destroy())
      .on("error", () => {})
      .on("close", () => resolve(text.trim() || "nothing"));
  });
}

describe("instances of an agent", () => {
  let openPort = 0;
  let closedPort = 0;
  const servers: Server[] = [];
  let agent: AgentEngine;
  let other: AgentEngine;
  let outside: OutsideHost;

  const listen = async (): Promise<number> => {
    const server = createServer((socket) => socket.on("error", () => {}).end("host\n"));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    return (server.address() as { port: number }).port;
  };
  const instance = async (script: string, changes?: Partial<ContainerSpec>) => (await agent.run(script, changes)).stdout.trim();
  const greeter = async (of: AgentEngine, network: ContainerSpec["network"]): Promise<StartedContainer> => {
    const started = await of.start(of.shell(greet, { network }));
    await started.output.said("ready");
    return started;
  };

  beforeAll(async () => {
    openPort = await listen();
    closedPort = await listen();
    agent = await createAgentEngine({ networks: { allowTcpPorts: [openPort] } });
    other = await createAgentEngine();
    outside = createOutsideHost([outsideAddress, metadataAddress]);
    for (const port of [80, 53]) await outside.serve(port, "outside\n");
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await outside.close();
    await agent.close();
    await other.close();
  });

  describe.each(classes)("in network class %s", (network) => {
    it("reach of the host only the ports left open, at none of its addresses, and have no IPv6 to go around it", async () => {
      const started = await agent.start(agent.shell("read -r line; eval \"$line\"", { network, stdin: true }));
      const { gateway } = started.address;
      const addresses = [gateway, ...Object.values(networkInterfaces()).flatMap((each) => each ?? []).filter(({ family, internal }) => family === "IPv4" && !internal).map(({ address }) => address)];
      const closed = [...new Set(addresses)].map((address) => ask(address, closedPort));
      started.attachment.write(Buffer.from(`${[...closed, ask(gateway, openPort), "ip -6 address show dev eth0"].join("; ")}\n`));
      await started.output.ended;
      expect(started.output.stdout.toString().trim().split("\n")).toEqual([...closed.map(() => "nothing"), "host"]);
    });

    it("are reached by the host, and not by one another, though they find each other's names", async () => {
      const started = await greeter(agent, network);
      const { Name } = await docker.getContainer(started.id).inspect();
      expect(await askFromHost(started.address.ip, 8080)).toBe("hello");
      const neighbour = await instance(`${ask(started.address.ip, 8080)}; nslookup ${Name.slice(1)} 127.0.0.11`, { network });
      expect(neighbour).toMatch(/^nothing\n/);
      expect(neighbour).toContain(started.address.ip);
      const otherClass = network === "none" ? "internet" : "none";
      expect(await instance(ask(started.address.ip, 8080), { network: otherClass })).toBe("nothing");
      await agent.engine.removeContainer(started.id);
    });
  });

  it("of an engine without these rules would reach the host", async () => {
    const { image } = agent.shell("");
    const container = await docker.createContainer({ Image: image, Cmd: ["/bin/sh", "-c", ask("$(ip route | grep default | cut -d' ' -f3)", closedPort)], Tty: true });
    const stream = await container.attach({ stream: true, stdout: true });
    await container.start();
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    await container.remove({ force: true, v: true });
    expect(text.trim()).toBe("host");
  });

  it("have a way out with class internet, and none with class none", async () => {
    expect(await instance(ask(outsideAddress, 80), { network: "internet" })).toBe("outside");
    expect(await instance(ask(outsideAddress, 80), { network: "none" })).toBe("nothing");
  });

  it("reach no metadata address, but a name server at one", async () => {
    expect(await instance(ask(metadataAddress, 80), { network: "internet" })).toBe("nothing");
    expect(await instance(ask(metadataAddress, 53), { network: "internet" })).toBe("outside");
    expect(await askFromHost(metadataAddress, 80)).toBe("outside");
  });

  it("do not reach another agent's", async () => {
    const started = await greeter(other, "internet");
    expect(await askFromHost(started.address.ip, 8080)).toBe("hello");
    expect(await instance(ask(started.address.ip, 8080), { network: "internet" })).toBe("nothing");
    await other.engine.removeContainer(started.id);
  });
});

describe("an agent's networks", () => {
  it("are kept by a restarted agent, rules once each", async () => {
    const agent = await createAgentEngine();
    const idsOf = async () => (await docker.listNetworks({ filters: { label: [`${labelKeys.agent}=${agent.agentId}`] } })).map(({ Id }) => Id).sort();
    const [ids, before] = [await idsOf(), rules().split("\n").filter((rule) => rule.includes(agentHash(agent.agentId)))];
    const restarted = createDockerEngine({ agentId: agent.agentId });
    await Promise.all([restarted.ensureNetworks(), restarted.ensureNetworks()]);
    expect(await idsOf()).toEqual(ids);
    expect(rules().split("\n").filter((rule) => rule.includes(agentHash(agent.agentId)))).toEqual(before);
    await agent.close();
  });

  it("are made again when they do not isolate as they should, with what ran on them", async () => {
    const agent = await createAgentEngine();
    const planned = planNetworks(agent.agentId).internal;
    const { id } = await agent.start(agent.shell("sleep 600"));
    await agent.engine.removeContainer(id);
    await docker.getNetwork(planned.name).remove();
    await docker.createNetwork({ Name: planned.name, Driver: "bridge", Labels: { [labelKeys.agent]: agent.agentId }, Options: { "com.docker.network.bridge.name": planned.bridge } });
    const stale = await agent.start(agent.shell("sleep 600"));
    await agent.engine.ensureNetworks();
    expect(await agent.engine.inspectContainer(stale.id)).toBeUndefined();
    expect(await docker.getNetwork(planned.name).inspect()).toMatchObject({ Internal: true, Options: { "com.docker.network.bridge.enable_icc": "false" } });
    await agent.close();
  });

  it("are removed with every rule, and nothing else is", async () => {
    const [agent, other] = [await createAgentEngine(), await createAgentEngine()];
    const ofAgent = () => rules().split("\n").filter((rule) => rule.includes(agentHash(agent.agentId)));
    const ofOther = () => rules().split("\n").filter((rule) => rule.includes(agentHash(other.agentId)));
    const [before, others] = [ofAgent(), ofOther()];
    expect(before.some((rule) => rule.startsWith("-A INPUT"))).toBe(true);
    await agent.close();
    await agent.engine.removeNetworks();
    expect(ofAgent()).toEqual([]);
    expect(ofOther()).toEqual(others);
    expect(await leftOf(other.agentId)).toHaveLength(2);
    await other.close();
  });
});
