import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createFleet, type Fleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, type ExpectStatic, it } from "vitest";
import { writeCredentialFiles } from "../../packages/broker/src/bus/credential-files.ts";
import { type AlteredNats, startAlteredNats } from "../support/altered-nats.ts";
import { createFillableDisk, type FillableDisk } from "../support/fillable-disk.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";
import { type BrokerProcess, type Processes, startProcesses } from "../support/processes.ts";
import { Prometheus, scrapeConfiguration, shippedAlerts } from "../support/prometheus.ts";
import { timeLapse } from "../support/time-lapse.ts";

/** A minute of Prometheus is two seconds here; brokers and agents know nothing of it. */
const times = 30;

describe("Prometheus' time", () => {
  const unlapsed = /\b\d+[smhd]\b/g;

  it("passes faster where a rule or a configuration names a time, and nothing else is touched", () => {
    const rule = "for: 1m\nexpr: 'rate(a_5m{b=\"5m\"}[5m]) > 5 and deriv(sum(c)[10m:]) > 0.05 or time() - process_start_time_seconds < 60'\nscrape_interval: 15s\n  evaluation_interval: 1h\nsummary: 'for 1m'\nfor: 0m\n";
    expect(timeLapse(rule, 30)).toBe("for: 2000ms\nexpr: 'rate(a_5m{b=\"5m\"}[10000ms]) > 5 and deriv(sum(c)[20000ms:]) > 0.05 or time() - process_start_time_seconds < 2'\nscrape_interval: 500ms\n  evaluation_interval: 120000ms\nsummary: 'for 1m'\nfor: 0ms\n");
  });

  it.each([["alerts.yaml", shippedAlerts()], ["scrape.yaml", scrapeConfiguration(["127.0.0.1:1"])]])("passes faster everywhere in %s", (_, text) => {
    const lapsed = timeLapse(text, times);
    expect(text.match(unlapsed)?.length).toBeGreaterThan(1);
    expect(lapsed.match(unlapsed)).toBeNull();
    expect(lapsed.replaceAll(/\b\d+ms\b/g, "TIME")).toBe(text.replaceAll(unlapsed, "TIME").replace("start_time_seconds < 900", "start_time_seconds < 30"));
  });
});

/** What an alert is to look like, and what makes it. */
interface Expected {
  /** Of each that fires, by instance. */
  readonly labels: readonly Readonly<Record<string, string>>[];
  readonly summary: RegExp;
  /** Makes the cause; gives back what heals it. */
  readonly make: () => Promise<() => unknown>;
  /** While it fires. */
  readonly meanwhile?: () => Promise<void>;
}

const patience = { timeout: 60_000, interval: 250 };

describe("on a fleet of two brokers and two hosts", { timeout: 120_000 }, () => {
  let folder: string;
  let bus: AlteredNats;
  let disk: FillableDisk;
  let processes: Processes;
  let fleet: Fleet;
  let prometheus: Prometheus;
  let endCalls: () => Promise<void>;
  const [warning, critical] = [{ severity: "warning" }, { severity: "critical" }];
  const ofBroker = ({ url }: BrokerProcess) => ({ job: "longshore", instance: new URL(url).host, ...critical });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "longshore-alerts-"));
    bus = await startAlteredNats({ syncInterval: "always" });
    disk = await createFillableDisk();
    writeCredentialFiles(join(folder, "credentials"), bus.access);
    processes = await startProcesses({
      brokers: 2,
      busCredentials: join(folder, "credentials"),
      agents: [{ siteId: "plant", environment: { LONGSHORE_AGENT_DISK_MIN_FREE_BYTES: String(disk.minFreeBytes) } }, { siteId: "cloud" }],
    });
    fleet = createFleet({ url: processes.url });
    writeFileSync(join(folder, "key"), processes.broker.apiKey ?? "", { mode: 0o600 });
    const hosts = processes.brokers.map(({ url }) => new URL(url).host);
    prometheus = await Prometheus.start(timeLapse(scrapeConfiguration(hosts, join(folder, "key")), times), timeLapse(shippedAlerts(), times));
    const placement = { sites: ["plant"] };
    await fleet.deploy(await laboratoryFunction("lab", { placement }));
    await fleet.deploy(await shellFunction("broken", "exit 3", { placement, retry: "never" }));
    await fleet.deploy(await shellFunction("slow", "sleep 3", { placement, maxInstancesPerAgent: 1 }));
    await callLab("/");
    endCalls = again((signal) => callLab("/", signal), 25);
  });

  afterAll(async () => {
    await prometheus[Symbol.asyncDispose]();
    disk.empty();
    await endCalls();
    await fleet.close();
    await processes.close();
    await bus[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const callLab = async (path: string, signal?: AbortSignal) => (await fleet.call("lab", undefined, { path, signal })).bytes();

  /** Does something again and again, in as many lanes, until it is told to end; what fails is the alerts' to tell. */
  function again(act: (signal: AbortSignal) => Promise<unknown>, betweenMs: number, lanes = 1): () => Promise<void> {
    const over = new AbortController();
    const lane = async () => {
      while (!over.signal.aborted) {
        await act(over.signal).catch(() => undefined);
        await pause(betweenMs);
      }
    };
    const ended = Promise.all(Array.from({ length: lanes }, lane));
    return async () => {
      over.abort();
      await ended;
    };
  }

  const active = async (alert: string) => (await prometheus.alerts()).filter(({ labels }) => labels["alertname"] === alert);

  /** The labels of what fires of an alert, by instance. */
  const firing = async (alert: string) =>
    (await active(alert))
      .filter(({ state }) => state === "firing")
      .map(({ labels: { alertname: _, ...labels } }) => labels)
      .toSorted((a, b) => (a["instance"] ?? "").localeCompare(b["instance"] ?? ""));

  /** Nothing of an alert before its cause, the alert while the cause lasts, nothing after it is healed. Tests side by side have an `expect` each. */
  async function fires(expect: ExpectStatic, alert: string, { labels, summary, make, meanwhile }: Expected): Promise<void> {
    expect(await prometheus.fired(3_600_000)).not.toContain(alert);
    const heal = await make();
    try {
      await expect.poll(() => firing(alert), patience).toEqual(labels.toSorted((a, b) => (a["instance"] ?? "").localeCompare(b["instance"] ?? "")));
      for (const { annotations } of await active(alert)) expect(annotations["summary"]).toMatch(summary);
      await meanwhile?.();
    } finally {
      await heal();
    }
    await expect.poll(() => active(alert), patience).toEqual([]);
  }

  it("none fires or is about to while all is well", async () => {
    // As many scrapes of each broker as four minutes have, and many calls in them.
    await expect.poll(async () => (await prometheus.query('min(count_over_time(up{job="longshore"}[1h]))'))[0]?.value, patience).toBeGreaterThan(16);
    await expect.poll(async () => (await prometheus.query("sum(increase(longshore_invocations_total[1h]))"))[0]?.value, patience).toBeGreaterThan(100);
    expect(await prometheus.query("up == 1")).toHaveLength(3);
    expect(await prometheus.alerts()).toEqual([]);
    expect(await prometheus.fired(3_600_000)).toEqual([]);
  });

  describe.concurrent("one fires and no sooner", () => {
    afterAll(() => endCalls());

    it("LongshoreDeadLetters, when an accepted invocation fails for good", ({ expect }) =>
      fires(expect, "LongshoreDeadLetters", {
        labels: [warning],
        summary: /end as dead letters/,
        async make() {
          await fleet.enqueue("broken");
          return () => undefined; // It is over once that was long ago.
        },
      }));

    it("LongshoreFailures, when one call in some fails", ({ expect }) =>
      fires(expect, "LongshoreFailures", {
        labels: [warning],
        summary: /^[1-9]\d?\.?\d*% of invocations/,
        make: async () => again((signal) => callLab("/status?code=503", signal), 50),
      }));

    it("LongshoreLatency, when one call in some takes six seconds", ({ expect }) =>
      fires(expect, "LongshoreLatency", {
        labels: [warning],
        summary: /longer than [5-9]/,
        make: async () => again((signal) => callLab("/slow?ms=6000", signal), 0, 16),
      }));

    it("LongshoreBacklogGrowing, when more is accepted than its host can run", ({ expect }) =>
      fires(expect, "LongshoreBacklogGrowing", {
        labels: [warning],
        summary: /^\d{3,} accepted invocations wait/,
        async make() {
          await Promise.all(Array.from({ length: 120 }, () => fleet.enqueue("slow")));
          const end = again(() => fleet.enqueue("slow"), 100);
          return async () => {
            await end();
            for await (const view of fleet.invocations.each({ function: "slow" })) if ("invocationId" in view) await fleet.invocation(view.invocationId).cancel();
          };
        },
      }));

    it("LongshoreAgentShortOfDisk, when the disk of a host fills", ({ expect }) =>
      fires(expect, "LongshoreAgentShortOfDisk", {
        labels: [warning],
        summary: /^Agents short of disk: 1$/,
        async make() {
          disk.fill();
          return () => disk.empty();
        },
      }));

    it("LongshoreAgentLost, when a host dies", ({ expect }) =>
      fires(expect, "LongshoreAgentLost", {
        labels: [warning],
        summary: /^Agents lost: 1$/,
        async make() {
          const [, cloud] = processes.agents;
          await cloud?.kill();
          return () => cloud?.restart();
        },
      }));
  });

  /** The same, and no other fires while its cause lasts: these take much with them. */
  async function firesAlone(alert: string, expected: Expected): Promise<void> {
    const fromMs = performance.now();
    await fires(expect, alert, {
      ...expected,
      async meanwhile() {
        await expected.meanwhile?.();
        expect(await prometheus.fired(performance.now() - fromMs)).toEqual([alert]);
      },
    });
    await expect.poll(() => prometheus.alerts(), patience).toEqual([]); // Of what healing took with it.
  }

  it("LongshoreBrokerDown fires for a broker that dies, and for no other", async () => {
    const [, second] = processes.brokers;
    if (second === undefined) throw new Error("two brokers were asked for");
    await firesAlone("LongshoreBrokerDown", {
      labels: [ofBroker(second)],
      summary: new RegExp(`^Broker ${new URL(second.url).host} does not answer$`),
      async make() {
        await second.kill();
        return () => second.restart(new URL(second.url).host);
      },
    });
  });

  it("LongshoreBrokerNotReady fires while the bus is away, and the hosts that nobody can hear then are not told lost", () =>
    firesAlone("LongshoreBrokerNotReady", {
      labels: processes.brokers.map(ofBroker),
      summary: /takes no calls$/,
      async make() {
        await bus.stop();
        return () => bus.restart({ syncInterval: "always" });
      },
      async meanwhile() {
        // For three minutes no broker has heard any host.
        await expect.poll(async () => (await prometheus.query(`min(min_over_time(longshore_agents{state="lost"}[${180_000 / times}ms]))`))[0]?.value, patience).toBe(2);
      },
    }));

  it("LongshoreBusNotDurable fires while the bus runs without syncing", () =>
    firesAlone("LongshoreBusNotDurable", {
      labels: processes.brokers.map((broker) => ({ ...ofBroker(broker), state: "not_durable" })),
      summary: /may lose accepted work/,
      async make() {
        await bus.restart({ syncInterval: "2m" });
        return () => bus.restart({ syncInterval: "always" });
      },
    }));

  it("every alert that there is has fired", async () => {
    expect(await prometheus.fired(3_600_000)).toEqual((await prometheus.rules()).toSorted());
  });
});
