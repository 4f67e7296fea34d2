import type { AgentId, InvocationRecord, SiteId } from "@longshore/protocol";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentsPage, type MeasuredAgent } from "./agents-page.ts";
import { agentMetrics, brokerMetrics } from "./definitions.ts";
import { type Gauges, Metrics } from "./metrics.ts";
import { checkPage } from "./testing/check-page.ts";

const gauges: Gauges = { isReady: true, isConnected: true, waiting: 1, running: 2, queued: 3, sent: 4, sockets: 5, agents: new Map([["ready", 2], ["lost", 1]]), agentsShortOfDisk: 0, durability: "verified", busCounters: new Map([["records_dropped", 1]]), spans: { added: 3, exported: 2, failed: 0 }, history: { points: 1, leftOut: 0, unreadable: 0 } };
const record = (changes: Partial<InvocationRecord> = {}): InvocationRecord => ({ invocationId: "i", functionName: "resize", attempt: 1, result: { outcome: "succeeded" }, acceptedAt: "", finishedAt: "", timings: {}, payloadBytes: 0, resultBytes: 0, resultKept: false, ...changes });
const agent = (agentId: string, capacity?: object): MeasuredAgent => ({ address: { siteId: "plant" as SiteId, agentId: agentId as AgentId }, standing: "ready", joined: undefined, capacity: capacity as MeasuredAgent["capacity"], lastHeardAt: new Date(1_500), shares: new Map() });
const heard = { memoryBytes: 100, memoryFreeBytes: 50, instancesMax: 8, instancesFree: 4, running: 1, idle: 2, held: 3, disk: { totalBytes: 10, freeBytes: 5, imagesBytes: 3, pressure: true } };
const namesOn = (page: string) => [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);

describe("the metrics page", () => {
  it("keeps Prometheus' rules, empty and full", () => {
    const metrics = new Metrics();
    expect(checkPage(metrics.page({ ...gauges, busCounters: new Map() }))).toEqual([]);
    for (const ms of [0, 0.4, 3, 70_000]) metrics.ended(record({ start: "warm", timings: { placementMs: ms, startMs: ms, runMs: ms, totalMs: ms } }), ms);
    metrics.queueEnded(record({ result: { outcome: "failed" } }), true);
    for (const status of [200, 404, undefined]) metrics.answered(status, 1);
    metrics.exchanged(70_000);
    metrics.unreadableRecord();
    expect(checkPage(metrics.page({ ...gauges, busCounters: new Map([['odd"\\\n}', 1]]) }))).toEqual([]);
  });

  it("has every metric that is defined", () => {
    expect(namesOn(new Metrics().page(gauges)).toSorted()).toEqual(Object.values(brokerMetrics).map(({ name }) => name).toSorted());
  });

  it("counts hops where they were reached, durations where a caller waited, and accepted invocations beside", () => {
    const metrics = new Metrics();
    metrics.ended(record({ start: "cold", timings: { placementMs: 2, startMs: 300, runMs: 20, totalMs: 400 } }), 400);
    metrics.ended(record({ result: { outcome: "failed" }, timings: { totalMs: 86_400_000 } }));
    metrics.queueEnded(record({ result: { outcome: "failed" }, past: [{ attempt: 1, siteId: "s", agentId: "a", endedAt: "", result: { outcome: "failed" } }] }), true);
    metrics.answered(503, 1);
    metrics.exchanged(40);
    const page = metrics.page(gauges);
    for (const line of [
      'longshore_invocations_total{outcome="succeeded"} 1',
      'longshore_invocations_total{outcome="failed"} 1',
      'longshore_starts_total{start="cold"} 1',
      "longshore_invocation_duration_seconds_count 1",
      'longshore_invocation_duration_seconds_bucket{le="0.25"} 0',
      'longshore_invocation_duration_seconds_bucket{le="0.5"} 1',
      'longshore_invocation_placement_seconds_bucket{le="0.0025"} 1',
      "longshore_invocation_start_seconds_sum 0.3",
      "longshore_invocation_run_seconds_count 1",
      'longshore_queue_ended_total{outcome="failed"} 1',
      "longshore_queue_attempts_total 2",
      "longshore_queue_dead_letters_total 1",
      "longshore_http_request_duration_seconds_count 1",
      'longshore_http_responses_total{status="5xx"} 1',
      'longshore_socket_exchange_duration_seconds_bucket{le="0.025"} 0',
      'longshore_socket_exchange_duration_seconds_bucket{le="0.05"} 1',
      "longshore_socket_exchange_duration_seconds_sum 0.04",
      'longshore_bus_durability{state="verified"} 1',
      'longshore_trace_spans_total{state="exported"} 2',
    ]) expect(page).toContain(`\n${line}\n`);
  });
});

describe("the agents' page", () => {
  it("keeps Prometheus' rules, and has every metric that is defined", () => {
    expect(checkPage(agentsPage([]))).toEqual([]);
    const page = agentsPage([agent("a1", heard), agent("a2")]);
    expect(checkPage(page)).toEqual([]);
    expect(namesOn(page).toSorted()).toEqual(Object.values(agentMetrics).map(({ name }) => name).toSorted());
    expect(page).toContain('\nlongshore_agent_memory_free_bytes{site="plant",agent="a1"} 50\n');
    expect(page).toContain('\nlongshore_agent_state{site="plant",agent="a2",state="ready"} 1\n');
    expect(page).not.toContain('longshore_agent_memory_bytes{site="plant",agent="a2"}');
  });

  it("holds ten thousand, and says how many more there are", () => {
    const page = agentsPage(Array.from({ length: 10_003 }, (_, at) => agent(`a${at}`, heard)));
    expect(page).toContain("\nlongshore_agents_left_out 3\n");
    expect(page.match(/^longshore_agent_state\{/gm)).toHaveLength(10_000);
  });
});

describe("the checker", () => {
  const good = "# HELP longshore_x_total x\n# TYPE longshore_x_total counter\nlongshore_x_total 1\n";
  it.each([
    ["no help", good.replace(/^# HELP.*\n/, "")],
    ["no type", good.replace(/# TYPE.*\n/, "")],
    ["a counter without _total", good.replaceAll("_total", "")],
    ["a gauge with _total", good.replace("counter", "gauge")],
    ["a series twice", `${good}longshore_x_total 2\n`],
    ["another unit", good.replaceAll("x_total", "wait_milliseconds_total")],
    ["a value that is none", good.replace(" 1\n", " undefined\n")],
    ["a name that is not ours", good.replaceAll("longshore_", "other_")],
    ["a family in two places", `${good}${good.replaceAll("x", "y")}# HELP longshore_x_total x\nlongshore_x_total{a="b"} 1\n`],
    ["labels that break out", good.replace(" 1\n", '{a="b"c"} 1\n')],
    ["an incomplete histogram", '# HELP longshore_x_seconds x\n# TYPE longshore_x_seconds histogram\nlongshore_x_seconds_bucket{le="1"} 1\nlongshore_x_seconds_sum 1\nlongshore_x_seconds_count 1\n'],
    ["buckets that fall", '# HELP longshore_x_seconds x\n# TYPE longshore_x_seconds histogram\nlongshore_x_seconds_bucket{le="1"} 2\nlongshore_x_seconds_bucket{le="+Inf"} 1\nlongshore_x_seconds_sum 1\nlongshore_x_seconds_count 1\n'],
  ])("finds %s", (_what, page) => {
    expect(checkPage(good)).toEqual([]);
    expect(checkPage(page)).not.toEqual([]);
  });
});

const read = (path: string) => readFileSync(join(import.meta.dirname, "../../../..", path), "utf8");
const defined = [...Object.values(brokerMetrics), ...Object.values(agentMetrics)];

describe("docs/metrics.md", () => {
  it("has a row for each metric, with its type, labels and meaning, and no other", () => {
    const rows = read("docs/metrics.md").split("\n").filter((line) => line.startsWith("| `"));
    expect(rows).toEqual(defined.map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`));
  });
});

describe("deploy/prometheus", () => {
  it("has no alert without a row in docs/metrics.md, which says no other", () => {
    const alerts = [...read("deploy/prometheus/alerts.yaml").matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const rows = [...read("docs/metrics.md").matchAll(/^\| (Longshore\w+) \|/gm)].map(([, name]) => name);
    expect(alerts.length).toBeGreaterThan(8);
    expect(rows).toEqual(alerts);
  });

  it.each(["alerts.yaml", "dashboard.json"])("%s asks for metrics that there are, and for labels that they have", (file) => {
    const text = read(`deploy/prometheus/${file}`).split("\n").filter((line) => /^\s*"?expr/.test(line)).join("\n").replaceAll('\\"', '"');
    const used = [...text.matchAll(/\b((?:longshore|process)_[a-z_]+)(?:\{([^}]*)\})?/g)];
    const names = new Map(defined.flatMap(({ name, type, labels }) => (type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]).map((suffix): [string, readonly string[]] => [name + suffix, [...labels, "le", "job", "instance"]])));
    expect(used.length).toBeGreaterThan(8);
    for (const [, name = "", matchers = ""] of used) {
      expect([...names.keys()]).toContain(name);
      for (const [, label = ""] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) expect(names.get(name), `${name}{${matchers}}`).toContain(label);
    }
  });
});
