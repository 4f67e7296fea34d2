import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";
import { Prometheus, promtool, scrapeConfiguration, shippedAlerts, shippedFolder as folder } from "../support/prometheus.ts";

const alerts = [...shippedAlerts().matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name);

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

/** What each panel of the dashboard asks for, with Grafana's own variables filled in. */
const panels = (JSON.parse(readFileSync(join(folder, "dashboard.json"), "utf8")) as { panels: { title: string; targets: { expr: string }[] }[] }).panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }): [title: string, expression: string] => [title, expr.replaceAll(/\$__(rate_interval|interval)/g, "5m").replaceAll("$__range", "1h")]),
);

/** Calls that succeed and that fail, over both doors, an accepted one, and one that leaves a dead letter. */
async function load(fleet: Fleet, url: string): Promise<void> {
  await fleet.deploy(await laboratoryFunction("lab"));
  await fleet.deploy(await shellFunction("broken", "exit 3", { retry: "never" }));
  await (await fleet.enqueue("broken")).ended();
  for (let nth = 0; nth < 20; nth += 1) await Promise.all(["/", "/status?code=503"].map(async (path) => (await fleet.call("lab", undefined, { path })).bytes()));
  await (await fetch(`${url}/f/lab/`)).bytes();
}

describe("a fleet", () => {
  let test: TestFleet;
  let prometheus: Prometheus;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await fetch(`${test.url}/f/no-such-function/`);
    // As on the broker's own machine: no key. Each second, so that nobody waits.
    prometheus = await Prometheus.start(scrapeConfiguration([new URL(test.url).host]).replaceAll(/scrape_interval: \d+s/g, "scrape_interval: 1s"), shippedAlerts());
  });
  afterAll(async () => {
    await prometheus[Symbol.asyncDispose]();
    await test.close();
  });

  it.each(["/metrics", "/metrics/agents"])("has on %s nothing that Prometheus' own checker finds fault with", async (path) => {
    const page = await (await fetch(test.url + path)).text();
    expect(await promtool(["check", "metrics"], page)).toEqual({ ok: true, output: "" });
    expect(await promtool(["check", "metrics"], page.replaceAll(/^# HELP .*\n/gm, ""))).toMatchObject({ ok: false }); // It looks.
  });

  it("is scraped by a real Prometheus as the example says, brokers and agents, with the alerts loaded", async () => {
    await expect.poll(() => prometheus.query("up == 1"), { timeout: 60_000, interval: 500 }).toHaveLength(2);
    expect(await prometheus.query("longshore_broker_ready")).toMatchObject([{ value: 1, labels: { job: "longshore" } }]);
    expect(await prometheus.query('longshore_agents{state="ready"}')).toMatchObject([{ value: 1 }]);
    expect((await prometheus.query('longshore_http_responses_total{status="4xx"}'))[0]?.value).toBeGreaterThan(0);
    expect(await prometheus.query("longshore_agent_memory_bytes")).toMatchObject([{ labels: { site: "plant", agent: test.agents[0]?.agentId, job: "longshore-agents" }, value: 2 ** 30 }]);
    expect(await prometheus.rules()).toEqual(alerts);
  });

  it("has something to show in every panel of the dashboard once it has worked", async () => {
    await load(test.fleet, test.url);
    // Forty calls and a submission.
    await expect.poll(async () => (await prometheus.query("longshore_socket_exchange_duration_seconds_count"))[0]?.value, { timeout: 30_000, interval: 500 }).toBe(41);
    await expect(prometheus.query("sum(rate(")).rejects.toThrow("parse error"); // It looks.
    for (const [title, expression] of panels) {
      const values = (await prometheus.query(expression)).map(({ value }) => value);
      expect(values.filter((value) => Number.isFinite(value)), `${title}: ${expression}`).not.toEqual([]);
    }
    expect(panels.length).toBeGreaterThan(20);
  });
});
