import { setInterval } from "node:timers/promises";
import { createFleet, type Fleet, LongshoreError } from "@longshore/sdk";
import { startProcesses } from "../../test/support/processes.ts";
import { workingImage } from "../images.ts";
import { quantile } from "../measure.ts";
import { type BenchResult, compare, format } from "../result.ts";

const instances = 12;
/** Until all instances run; what they answer after that is the capacity. */
const warmingSeconds = 20;
const capacitySeconds = 10;
const floodSeconds = 60;
const besideSeconds = 20;
/** Of the neighbour that calls now and then while another floods. */
const neighbourPerSecond = 5;
const tickMs = 10;

/** What became of calls that were offered at a rate, whether they were answered or not. */
interface Offered {
  /** When each of those that succeeded did, in seconds since the beginning. */
  readonly answeredAt: number[];
  readonly latenciesMs: number[];
  /** 429 and 503, each with a Retry-After. */
  told: number;
  /** Anything else: a connection broken, an error without a hint when to come again. */
  readonly wrong: Record<string, number>;
}

/**
 * `overload`: twice what a fleet of 12 instances can take, offered for a minute over HTTP: calls answered a second against what the same
 * fleet answers when it is just busy. Then the same flood with a neighbour beside it.
 */
export async function overload(): Promise<BenchResult> {
  await using processes = await startProcesses({ agents: [{ siteId: "main", environment: { LONGSHORE_AGENT_INSTANCES_MAX: String(instances) } }] });
  const fleet = createFleet({ url: processes.url, transport: "http" });
  for (const name of ["flood", "neighbour"]) await fleet.deploy({ name, image: await workingImage(), contract: "http", port: 8080, concurrency: 1 });
  const busy = await keepBusy(fleet);
  const capacity = quantile(busy, 0.5);
  const flooded = await offer(fleet, "flood", capacity * 2, floodSeconds);
  const [beside, neighbour] = await Promise.all([offer(fleet, "flood", capacity * 2, besideSeconds), offer(fleet, "neighbour", neighbourPerSecond, besideSeconds)]);
  await fleet.close();

  const wrong = [flooded, beside, neighbour].flatMap((each) => Object.entries(each.wrong)).map(([words, count]) => `${count} × ${words}`);
  const result = compare("overload", "calls/s", perSecond(flooded.answeredAt), { capacity: busy }, { bound: 0.95, better: "higher" }, {
    flood: outcomesOf(flooded),
    "the neighbour meanwhile": outcomesOf(neighbour),
    "all answered with a neighbour": `${format((beside.answeredAt.length + neighbour.answeredAt.length) / besideSeconds)} calls/s`,
    "anything else": wrong.length === 0 ? "nothing" : wrong.join("; "),
  });
  return { ...result, goal: "≥ 0.95; nothing broken", met: result.met && wrong.length === 0 };
}

const outcomesOf = ({ answeredAt, latenciesMs, told }: Offered) =>
  `${answeredAt.length} answered, ${told} told to come again; answered in ${format(quantile(latenciesMs, 0.5))} ms, p99 ${format(quantile(latenciesMs, 0.99))}`;

/** As many calls under way as there are instances; answers in each second once all of them work. */
async function keepBusy(fleet: Fleet): Promise<number[]> {
  const startMs = performance.now();
  const elapsed = () => (performance.now() - startMs) / 1000;
  const answeredAt: number[] = [];
  const lane = async () => {
    while (elapsed() < warmingSeconds + capacitySeconds) {
      await (await fleet.call("flood")).bytes();
      answeredAt.push(elapsed());
    }
  };
  await Promise.all(Array.from({ length: instances }, lane));
  return perSecond(answeredAt).slice(warmingSeconds);
}

/** Offers calls at that rate for so long, as callers do that do not wait for one another. */
async function offer(fleet: Fleet, name: string, ratePerSecond: number, seconds: number): Promise<Offered> {
  const offered: Offered = { answeredAt: [], latenciesMs: [], told: 0, wrong: {} };
  const startMs = performance.now();
  const calls: Promise<void>[] = [];
  const one = async () => {
    const beganMs = performance.now();
    try {
      await (await fleet.call(name)).bytes();
      offered.answeredAt.push((performance.now() - startMs) / 1000);
      offered.latenciesMs.push(performance.now() - beganMs);
    } catch (error) {
      if (error instanceof LongshoreError && error.retryAfterMs !== undefined) offered.told += 1;
      else offered.wrong[String(error)] = (offered.wrong[String(error)] ?? 0) + 1;
    }
  };
  for await (const _ of setInterval(tickMs)) {
    const elapsed = (performance.now() - startMs) / 1000;
    if (elapsed >= seconds) break;
    while (calls.length < elapsed * ratePerSecond) calls.push(one());
  }
  await Promise.all(calls);
  return offered;
}

/** How many fell into each whole second. */
function perSecond(seconds: readonly number[]): number[] {
  const whole = Math.floor(Math.max(0, ...seconds));
  const counts = Array.from({ length: whole }, () => 0);
  for (const at of seconds) if (at < whole) counts[Math.floor(at)] = (counts[Math.floor(at)] ?? 0) + 1;
  return counts;
}
