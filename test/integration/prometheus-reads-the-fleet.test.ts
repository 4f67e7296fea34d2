import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { Prometheus, promtool } from "../support/prometheus.ts";

const folder = join(import.meta.dirname, "../../deploy/prometheus");
const alerts = [...readFileSync(join(folder, "alerts.yaml"), "utf8").matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name);

describe("the files for Prometheus", () => {
  it("are what its own checker takes", async () => {
    expect(await promtool(["check", "rules", join(folder, "alerts.yaml")])).toMatchObject({ ok: true });
    expect(await promtool(["check", "config", "--syntax-only", join(folder, "scrape.yaml")])).toMatchObject({ ok: true });
  });

  it("have a case for every alert", () => {
    expect(readdirSync(join(folder, "tests")).map((file) => file.replace(/\.yaml$/, "")).toSorted()).toEqual(alerts.toSorted());
    expect(alerts.length).toBeGreaterThan(7);
  });

  it.each(alerts)("%s fires when it ought to, and not otherwise", async (alert) => {
    expect(await promtool(["test", "rules", join(folder, "tests", `${alert}.yaml`)])).toMatchObject({ ok: true, output: expect.stringContaining("SUCCESS") });
  });
});

describe("a fleet", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await fetch(`${test.url}/f/no-such-function/`);
  });
  afterAll(() => test.close());

  it.each(["/metrics", "/metrics/agents"])("has on %s nothing that Prometheus' own checker finds fault with", async (path) => {
    const page = await (await fetch(test.url + path)).text();
    expect(await promtool(["check", "metrics"], page)).toEqual({ ok: true, output: "" });
    expect(await promtool(["check", "metrics"], page.replaceAll(/^# HELP .*\n/gm, ""))).toMatchObject({ ok: false }); // It looks.
  });

  it("is scraped by a real Prometheus as the example says, brokers and agents, with the alerts loaded", async () => {
    const example = readFileSync(join(folder, "scrape.yaml"), "utf8");
    const target = JSON.stringify(new URL(test.url).host);
    // As on the broker's own machine: no key. Each second, so that nobody waits.
    const configuration = example
      .replaceAll(/targets: \[.*\]/g, `targets: [${target}]`)
      .replaceAll(/ {4}authorization:\n.*\n/g, "")
      .replaceAll(/scrape_interval: \d+s/g, "scrape_interval: 1s")
      .replace("- alerts.yaml", `- ${join(folder, "alerts.yaml")}`);
    await using prometheus = await Prometheus.start(configuration);
    await expect.poll(() => prometheus.query("up == 1"), { timeout: 60_000, interval: 500 }).toHaveLength(2);
    expect(await prometheus.query("longshore_broker_ready")).toMatchObject([{ value: 1, labels: { job: "longshore" } }]);
    expect(await prometheus.query('longshore_agents{state="ready"}')).toMatchObject([{ value: 1 }]);
    expect((await prometheus.query('longshore_http_responses_total{status="4xx"}'))[0]?.value).toBeGreaterThan(0);
    expect(await prometheus.query("longshore_agent_memory_bytes")).toMatchObject([{ labels: { site: "plant", agent: test.agents[0]?.agentId, job: "longshore-agents" }, value: 2 ** 30 }]);
    expect(await prometheus.rules()).toEqual(alerts);
  });
});
