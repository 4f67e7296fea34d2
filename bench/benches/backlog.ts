import { Agent, request } from "node:http";
import { createFleet, type Fleet } from "@longshore/sdk";
import { startProcesses } from "../../test/support/processes.ts";
import { countingImage, failingImage, hangingImage, nodeImage } from "../images.ts";
import { callsPerSecond, quantile, timeMs } from "../measure.ts";
import { type BenchResult, compare, format } from "../result.ts";
import type { Rig } from "../rig.ts";

const body = new Uint8Array(128).fill(97);
const inFlight = 64;
const blocked = 50_000;
const failing = 500;
const rounds = 150;

/** Keep-alive connections, and what is asked over them. */
class Client implements Disposable {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.#url = url;
  }

  /** Submits one; resolves with its id once it is accepted. */
  async submit(name: string, delayMs = 0): Promise<string> {
    const { status, headers } = await this.#ask("POST", `/v1/functions/${name}/invocations?mode=async&delayMs=${delayMs}`);
    if (status !== 202) throw new Error(`A submission was answered ${status}`);
    return String(headers["longshore-invocation-id"]);
  }

  /** Resolves once it has its record. */
  async ended(id: string): Promise<void> {
    const { text } = await this.#ask("GET", `/v1/invocations/${id}?waitMs=30000`);
    if ((JSON.parse(text) as { state: string }).state !== "finished") throw new Error("An invocation did not end in half a minute");
  }

  #ask(method: string, path: string): Promise<{ readonly status: number; readonly headers: Record<string, unknown>; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(`${this.#url}${path}`, { method, agent: this.#agent, headers: method === "POST" ? { "content-length": String(body.length) } : {} }, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (part: string) => (text += part));
        incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
      });
      outgoing.on("error", reject);
      outgoing.end(method === "POST" ? body : undefined);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** `neighbours`: from submission to record of one function's accepted work, beside 50,000 that wait for one that does not end and some that always fail, against without. */
export async function neighbours(rig: Rig): Promise<BenchResult> {
  using client = new Client(rig.url);
  const [name, full, faulty] = [`bench-neighbour-${process.pid}`, `bench-blocked-${process.pid}`, `bench-failing-${process.pid}`];
  await rig.deployReady({ name, image: await nodeImage(), contract: "http", port: 8080 }, "main", 1);
  await rig.deployReady({ name: faulty, image: await failingImage(), contract: "http", port: 8080, concurrency: 16 }, "main", 1);
  await rig.deployReady({ name: full, image: await hangingImage(), contract: "http", port: 8080, timeoutMs: 3_600_000, stopGraceMs: 100, maxQueuedAtOnce: 1 }, "main", 1);
  try {
    const oneMs = () => timeMs(async () => client.ended(await client.submit(name)));
    const measured = async () => {
      const figures: number[] = [];
      for (let round = 0; round < rounds; round += 1) figures.push(await oneMs());
      return figures;
    };
    await measured();
    const without = await measured();
    await callsPerSecond(blocked, inFlight, () => client.submit(full));
    await callsPerSecond(failing, inFlight, () => client.submit(faulty));
    const beside = await measured();
    const besides = { "99th percentile": `${format(quantile(beside, 0.99))} ms beside them, ${format(quantile(without, 0.99))} ms without` };
    return compare("neighbours", "ms", beside, { "without them": without }, { bound: 1.25, better: "lower" }, besides);
  } finally {
    for (const each of [name, full, faulty]) await rig.fleet.remove(each);
  }
}

const queued = 20_000;
const functions = 16;
/** Time to fill the queue, and until a part of it has ended. */
const [fillMs, wellUnderWayMs] = [25_000, 1_000];

/** `take-over`: from the death of one of two brokers, with 20,000 queued, until all that was its own to try is being ended again, function by function, against a second. */
export async function takeOver(): Promise<BenchResult> {
  await using processes = await startProcesses({ brokers: 2, separateBus: true, agents: [{ siteId: "main", environment: { LONGSHORE_AGENT_INSTANCES_MAX: "32", LONGSHORE_AGENT_HELD_MAX: "0" } }] });
  const [victim, survivor] = processes.brokers;
  if (victim === undefined || survivor === undefined) throw new Error("Two brokers were asked for");
  await using fleet = createFleet({ url: survivor.url, transport: "http" });
  using client = new Client(survivor.url);
  const names = Array.from({ length: functions }, (_, index) => `bench-take-over-${index}`);
  const image = await countingImage();
  for (const name of names) await fleet.deploy({ name, image, contract: "http", port: 8080, concurrency: 128, memoryBytes: 96 * 2 ** 20 });
  for (const name of names) await countOf(fleet, name); // Each has its one instance.
  const dueAtMs = Date.now() + fillMs;
  let count = 0;
  await callsPerSecond(queued, inFlight, () => client.submit(names[(count += 1) % functions] as string, Math.max(0, dueAtMs - Date.now())));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAtMs + wellUnderWayMs - Date.now())));
  const killedAtMs = Date.now();
  await victim.kill();
  while (await isPending(fleet)) await new Promise((resolve) => setTimeout(resolve, 100));
  const records = await Promise.all(names.map((name) => endingsOf(fleet, name)));
  const resumedMs = records.map((finishedMs) => Math.min(...finishedMs.filter((ms) => ms > killedAtMs)) - killedAtMs);
  const runs = await Promise.all(names.map((name) => countOf(fleet, name)));
  const besides = { "ended before the death": String(records.flat().filter((ms) => ms <= killedAtMs).length), "run more than once": String(sum(runs) - queued) };
  return compare("take-over", "ms", [Math.max(...resumedMs)], { "a second": [1_000] }, { bound: 2, better: "lower" }, besides);
}

/** When each of a function's accepted invocations ended, epoch milliseconds. */
async function endingsOf(fleet: Fleet, name: string): Promise<number[]> {
  const finishedMs: number[] = [];
  for await (const view of fleet.invocations.each({ function: name, state: "finished" })) if (view.state === "finished") finishedMs.push(Date.parse(view.record.finishedAt));
  return finishedMs;
}

/** How often its one instance was asked for anything but this. */
async function countOf(fleet: Fleet, name: string): Promise<number> {
  return Number(await (await fleet.call(name, body, { path: "/count" })).text());
}

async function isPending(fleet: Fleet): Promise<boolean> {
  for await (const _ of fleet.invocations.each()) return true;
  return false;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
