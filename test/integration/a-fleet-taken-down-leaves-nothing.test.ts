import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { natsServerExecutable } from "../support/nats.ts";
import { startCommand } from "../support/processes.ts";

/** Everything that a fleet makes outside of its processes. */
async function traces(): Promise<string[]> {
  const filters = { label: ["longshore.fleet=true"] };
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  const rules = execFileSync("iptables-save", { encoding: "utf8" }).split("\n").filter((line) => line.includes("longshore"));
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith("longshore-") && !name.startsWith("longshore-tests-"));
  return [...containers.map(({ Names }) => Names[0] ?? ""), ...networks.map(({ Name }) => Name), ...rules, ...folders].sort();
}

it("longshore up brings a fleet with the examples, and Ctrl-C takes all of it away, a call under way included", async () => {
  const before = await traces();
  const up = startCommand(["up", "--examples", "--json", "--listen", "127.0.0.1:0"], { LONGSHORE_BROKER_NATS_SERVER: natsServerExecutable });
  const { url, sites, functions } = JSON.parse(await up.lines.next()) as { url: string; sites: string[]; functions: string[] };
  expect([sites, functions.toSorted()]).toEqual([["plant", "cloud"], ["hello-http", "wordcount"]]);

  const greeting = await fetch(`${url}/f/hello-http/`, { method: "POST", body: '{"name":"you"}' });
  expect(await greeting.json()).toMatchObject({ message: "hello you" });
  const count = await fetch(`${url}/v1/functions/wordcount/invocations`, { method: "POST", body: "one two three four" });
  expect((await count.text()).trim()).toBe("4");

  expect((await traces()).length).toBeGreaterThan(before.length);
  expect(await up.process.interrupt()).toBe(0);
  expect(await traces()).toEqual(before);
});
