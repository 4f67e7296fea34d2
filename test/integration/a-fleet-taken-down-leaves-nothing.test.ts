import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentView } from "@longshore/protocol";
import { afterEach, expect, it } from "vitest";
import { agentHash } from "../../packages/agent/src/engine/networks.ts";
import { leftOf } from "../support/agent-engine.ts";
import { natsServerExecutable } from "../support/nats.ts";
import { startCommand } from "../support/processes.ts";

/** What the agents of one fleet have made outside of their processes. */
async function tracesOf(agentIds: readonly string[]): Promise<string[]> {
  const rules = execFileSync("iptables-save", { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n");
  const ofEach = agentIds.map(async (agentId) => [...(await leftOf(agentId)), ...rules.filter((line) => line.includes(agentHash(agentId)))]);
  return (await Promise.all(ofEach)).flat();
}

let end: (() => Promise<unknown>) | undefined;
afterEach(async () => end?.());

it("longshore up brings a fleet with the examples, and Ctrl-C takes all of it away, a call under way included", async () => {
  const folder = mkdtempSync(join(tmpdir(), "longshore-up-"));
  const up = startCommand(["up", "--examples", "--json", "--listen", "127.0.0.1:0"], { LONGSHORE_BROKER_NATS_SERVER: natsServerExecutable, TMPDIR: folder });
  end = () => up.process.interrupt();
  const { url, sites, functions } = JSON.parse(await up.lines.next()) as { url: string; sites: string[]; functions: string[] };
  expect([sites, functions.toSorted()]).toEqual([["plant", "cloud"], ["hello-http", "wordcount"]]);

  const greeting = await fetch(`${url}/f/hello-http/`, { method: "POST", body: '{"name":"you"}' });
  expect(greeting.status).toBe(200);
  expect(await greeting.json()).toMatchObject({ message: "hello you" });
  const count = await fetch(`${url}/v1/functions/wordcount/invocations`, { method: "POST", body: "one two three four" });
  expect((await count.text()).trim()).toBe("4");

  const { agents } = (await (await fetch(`${url}/v1/agents`)).json()) as { agents: AgentView[] };
  const agentIds = agents.map(({ agentId }) => agentId);
  const bus = readPid(folder);
  expect((await tracesOf(agentIds)).length).toBeGreaterThan(4);
  const underWay = fetch(`${url}/v1/functions/wordcount/invocations`, { method: "POST", body: new ReadableStream(), duplex: "half" } as RequestInit).catch(() => undefined);
  expect(await up.process.interrupt()).toBe(0);
  await underWay;
  expect(await tracesOf(agentIds)).toEqual([]);
  expect(() => process.kill(bus, 0)).toThrow();
  expect(readdirSync(folder)).toEqual([]);
  rmdirSync(folder);
}, 120_000);

/** The NATS server's process, as the process table has it. */
function readPid(folder: string): number {
  return Number(execFileSync("pgrep", ["-f", `nats-server.*${folder}`], { encoding: "utf8" }).split("\n")[0]);
}
