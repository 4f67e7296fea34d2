import { setTimeout } from "node:timers/promises";
import { createInvocationId } from "@longshore/protocol";
import type { Answer, Fleet } from "@longshore/sdk";
import { consoleBundle } from "./console-pages.ts";
import { startFleet, type TestFleet } from "./fleet.ts";
import { laboratoryFunction, shellFunction } from "./functions.ts";

/** Invocations of such a fleet that show what can become of one. */
export interface ShownInvocations {
  readonly succeeded: string;
  /** A program that exited with 7, and said why on stderr. */
  readonly failed: string;
  /** Accepted work that was tried three times, and is a dead letter. */
  readonly retried: string;
  /** Accepted work that goes on for as long as a test does. */
  readonly running: string;
  /** Accepted work that waits for a slot for as long. */
  readonly waiting: string;
}

/** A fleet of two sites with functions of every temper, accepted work in every state, schedules, and a host that is cordoned. */
export interface BusyFleet extends AsyncDisposable {
  readonly test: TestFleet;
  readonly shown: ShownInvocations;
}

/** Calls under way for as long as one likes. */
export interface Load {
  /** Resolves once all of them have ended. */
  stop(): Promise<void>;
}

const mebibyte = 2 ** 20;
const minuteMs = 60_000;

/** Starts it, under load for as long as its failing work is tried again: more than a minute. */
export async function startBusyFleet(): Promise<BusyFleet> {
  const test = await startFleet({ broker: { consoleFolder: consoleBundle } });
  try {
    const cordoned = await test.addAgent("plant");
    await deployAll(test.fleet);
    await test.fleet.agents.cordon(cordoned.agentId);
    const load = startLoad(test.fleet);
    const shown = await submitAll(test.fleet);
    await load.stop();
    return { test, shown, [Symbol.asyncDispose]: () => test.close() };
  } catch (error) {
    await test.close();
    throw error;
  }
}

async function deployAll(fleet: Fleet): Promise<void> {
  const long = { startTimeoutMs: 2 * minuteMs };
  await fleet.deploy(await laboratoryFunction("checkout", { ...long, minInstances: 1 }));
  await fleet.deploy(await laboratoryFunction("thumbnail", { ...long, concurrency: 1, env: { QUALITY: "80", FORMAT: "webp" }, secrets: { STORE_KEY: "x" } }));
  await fleet.deploy(await laboratoryFunction("ocr", { ...long, timeoutMs: 700, placement: { sites: ["cloud"] } }));
  await fleet.deploy(await shellFunction("tide", "printf 'high at '; cat; printf 'told the tide\\n' >&2", { network: "none" }));
  await fleet.deploy(await shellFunction("ledger", "cat >/dev/null; printf 'read 3 pages\\nno entry of that number\\n' >&2; exit 7", { network: "none" }));
  await fleet.deploy(await shellFunction("nightly-report", "sleep 3000", { timeoutMs: 60 * minuteMs, memoryBytes: 300 * mebibyte, placement: { sites: ["cloud"] }, maxQueuedAtOnce: 1 }));
  await fleet.deploy(await shellFunction("tide", "printf 'high tide at '; cat; printf 'told the tide\\n' >&2", { network: "none" }));
}

async function submitAll(fleet: Fleet): Promise<ShownInvocations> {
  const retried = await fleet.enqueue("ledger", "42");
  const running = await fleet.enqueue("nightly-report", "2026-11-28");
  await until(fleet, "nightly-report", "running");
  const waiting = await fleet.enqueue("nightly-report", "2026-11-29");
  for (const day of ["2026-11-30", "2026-12-01", "2026-12-02"]) await fleet.enqueue("nightly-report", day);
  await fleet.enqueue("tide", "tomorrow", { delayMs: 30 * minuteMs });
  const succeeded = await fleet.enqueue("tide", "noon");
  await succeeded.ended();
  const failed = createInvocationId();
  await resultOf(fleet.call("ledger", "17", { invocationId: failed }));
  await fleet.schedules.set({ name: "tide-table", function: "tide", cron: "0 6 * * *", timeZone: "Europe/Berlin", body: "dawn" });
  await fleet.schedules.set({ name: "warm-up", function: "checkout", everyMs: 20_000 });
  await fleet.schedules.set({ name: "month-end", function: "nightly-report", cron: "0 3 1 * *", paused: true });
  await retried.ended();
  return { succeeded: succeeded.invocationId, failed, retried: retried.invocationId, running: running.invocationId, waiting: waiting.invocationId };
}

async function until(fleet: Fleet, functionName: string, state: string): Promise<void> {
  for (;;) {
    for await (const view of fleet.invocations.each({ function: functionName })) if (view.state === state) return;
    await setTimeout(200); // A listing is asked for: nothing tells of this change.
  }
}

/** Calls its functions as their callers would, at a rate of a few a second: some fail, some are slow, some take too long. */
export function startLoad(fleet: Fleet): Load {
  let isOver = false;
  const caller = async (everyMs: number, call: (turn: number) => Promise<unknown>) => {
    for (let turn = 0; !isOver; turn += 1) {
      await Promise.all([call(turn), setTimeout(everyMs)]);
    }
  };
  const to = (name: string, path: string, body?: string) => resultOf(fleet.call(name, body, { path }));
  const callers = [
    caller(350, (turn) => to("checkout", turn % 17 === 11 ? "/status?code=500" : turn % 23 === 7 ? "/half" : `/slow?ms=${10 + ((turn * 37) % 60)}`)),
    caller(900, (turn) => to("thumbnail", `/slow?ms=${200 + ((turn * 131) % 900)}`)),
    caller(1_100, (turn) => to("thumbnail", `/slow?ms=${300 + ((turn * 71) % 700)}`)),
    caller(2_500, (turn) => to("ocr", `/slow?ms=${turn % 3 === 0 ? 2_000 : 150}`)),
    caller(2_000, (turn) => to("tide", "/", `${turn % 24}:00`)),
    caller(9_000, (turn) => to("ledger", "/", String(turn))),
  ];
  return {
    async stop() {
      isOver = true;
      await Promise.all(callers);
    },
  };
}

/** Waits for a call's end, whatever it is: what fails or cannot be placed is as much to be seen as the rest. */
async function resultOf(call: Promise<Answer>): Promise<void> {
  await call.then((answer) => answer.result).catch(() => undefined);
}
