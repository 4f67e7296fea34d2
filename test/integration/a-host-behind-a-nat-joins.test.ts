import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createFleet } from "@longshore/sdk";
import { afterEach, expect, it } from "vitest";
import { shellFunction } from "../support/functions.ts";
import { createNatHost } from "../support/nat-host.ts";
import { natsServerExecutable } from "../support/nats.ts";
import { removeLeftovers, startCommand } from "../support/processes.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

it("joins by the line that token create printed, over TLS, and a call runs there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "longshore-nat-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  const host = createNatHost();
  cleanUps.push(() => host.close());

  const broker = startCommand(["broker", "--data", join(folder, "here"), "--listen", `${host.gateway}:0`, "--tls"], { LONGSHORE_BROKER_NATS_SERVER: natsServerExecutable, LONGSHORE_BROKER_LOG_LEVEL: "warn" });
  cleanUps.push(() => broker.process.interrupt());
  const { url, apiKey, caFile } = JSON.parse(await broker.lines.next()) as { url: string; apiKey: string; caFile: string };
  expect(url).toMatch(/^https:/);
  const connection = { LONGSHORE_URL: url, LONGSHORE_KEY: apiKey, LONGSHORE_CA: caFile };

  const token = startCommand(["token", "create", "--site", "far", "--agent-id", "far-1"], connection);
  const line = await token.lines.next();
  expect(line).toMatch(/^longshore join lsj_/);
  const agent = startCommand([...line.split(" ").slice(1), "--json", "--data", join(folder, "there")], { LONGSHORE_AGENT_LOG_LEVEL: "warn" }, host.prefix);
  cleanUps.push(async () => {
    await agent.process.interrupt();
    await removeLeftovers("far-1");
  });
  expect(JSON.parse(await agent.lines.next())).toEqual({ agentId: "far-1", siteId: "far" });

  setDefaultCACertificates([...getCACertificates(), readFileSync(caFile, "utf8")]);
  const fleet = createFleet({ url, key: apiKey });
  const deployed = await fleet.deploy({ ...(await shellFunction("there", 'echo "$LONGSHORE_SITE"')) });
  expect(deployed.created).toBe(true);
  expect(await (await fleet.call("there", undefined, { where: "site=far" })).text()).toBe("far\n");
  await fleet.close();
});
