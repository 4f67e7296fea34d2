import { setTimeout } from "node:timers/promises";
import { createFleet, type Fleet, InvocationError, LongshoreError } from "@longshore/sdk";
import { laboratoryFunction } from "../../test/support/functions.ts";
import { commandImage, streamImage } from "../images.ts";

/** One kind of what users do: done again and again, one after another, with that much rest between. */
export interface Habit {
  readonly everyMs: number;
  /** Throws when something came that should not have. */
  readonly act: () => Promise<void>;
}

/** What a mix does besides: everything it made is removed by `close`. */
export interface Mix extends AsyncDisposable {
  readonly habits: Readonly<Record<string, Habit>>;
}

const large = new Uint8Array(4 * 2 ** 20).fill(7);
const burst = 40;
/** An instance rests longer than that before it goes: {@link idleMs} is what the soak's agents are told. */
export const idleMs = 10_000;

/** Deploys some functions, and says what is to be done with them: calls of every contract and size, failures, leavers, bursts, deploys. */
export async function createMix(url: string): Promise<Mix> {
  const [socket, http] = [createFleet({ url }), createFleet({ url, transport: "http" })];
  const watching = new AbortController();
  await socket.deploy(await laboratoryFunction("laboratory"));
  await socket.deploy(await laboratoryFunction("seldom"));
  await socket.deploy(await laboratoryFunction("single", { concurrency: 1 }));
  await socket.deploy({ name: "words", image: await commandImage(), contract: "stdio" });
  await socket.deploy({ name: "bytes", image: await streamImage(), contract: "http", port: 8080 });
  let revision = 0;
  const deployAgain = async () => {
    revision += 1;
    await socket.deploy(await laboratoryFunction("changing", { env: { REVISION: String(revision) } }));
  };
  await deployAgain();
  const watched = watch(socket, watching.signal);

  const text = async (fleet: Fleet, name: string, path: string, body?: string | Uint8Array) => {
    const answer = await fleet.call(name, body, { method: body === undefined ? "GET" : "POST", path });
    const bytes = await answer.bytes();
    const { outcome, message } = await answer.result;
    if (outcome !== "succeeded") throw new Error(`${outcome} with status ${answer.status}: ${message ?? ""}`);
    return bytes;
  };
  const habits: Record<string, Habit> = {
    "over the socket": { everyMs: 20, act: async () => expectLength(await text(socket, "laboratory", "/echo", "x".repeat(128)), 128) },
    "over http": { everyMs: 40, act: async () => expectLength(await text(http, "laboratory", "/echo", "x".repeat(128)), 128) },
    "of a command": { everyMs: 1_000, act: async () => expectLength(await text(http, "words", "/", "one two three"), "3\n".length) },
    "4 MiB there and back": { everyMs: 2_000, act: async () => expectLength(await text(socket, "laboratory", "/echo", large), large.length) },
    "an answer of 32 MiB": { everyMs: 5_000, act: async () => expectLength(await text(http, "bytes", "/32"), 32 * 2 ** 20) },
    "an error status": { everyMs: 2_000, act: () => expectReason(socket.invoke("laboratory", undefined, { path: "/status?code=500" }), "failed") },
    "an exit in the midst": { everyMs: 20_000, act: () => expectReason(socket.invoke("changing", undefined, { path: "/exit" }), "failed") },
    "a deadline passed": { everyMs: 5_000, act: () => expectReason(http.invoke("single", undefined, { path: "/slow?ms=5000", timeoutMs: 300 }), "timed_out", "deadline_passed") },
    "a caller that leaves": { everyMs: 2_000, act: () => expectReason(socket.invoke("single", undefined, { path: "/slow?ms=5000", signal: AbortSignal.timeout(200) }), "caller_gone") },
    "an unknown function": { everyMs: 5_000, act: () => expectReason(http.invoke("nowhere", undefined), "function_not_found") },
    "at zero": { everyMs: idleMs * 2.5, act: async () => expectMatch(await text(socket, "seldom", "/"), "pid ") },
    "forty at once": { everyMs: 30_000, act: async () => (await Promise.all(Array.from({ length: burst }, () => text(socket, "single", "/slow?ms=50")))).forEach((answer) => expectMatch(answer, '{"most":1}')) },
    "a new revision": { everyMs: 60_000, act: deployAgain },
  };
  const close = async () => {
    watching.abort();
    await watched;
    await Promise.all([socket.close(), http.close()]);
  };
  return { habits, [Symbol.asyncDispose]: close };
}

/** Follows the fleet's events as a console would. */
async function watch(fleet: Fleet, signal: AbortSignal): Promise<void> {
  for await (const _ of fleet.watch({ signal })) if (signal.aborted) return;
}

/** How often each habit was done, and what should not have come, by its words. */
export interface Tally {
  readonly done: Record<string, number>;
  readonly wrong: Record<string, number>;
}

/** Does everything of a mix until the signal; each habit on its own. */
export async function live({ habits }: Mix, tally: Tally, signal: AbortSignal): Promise<void> {
  await Promise.all(
    Object.entries(habits).map(async ([name, { everyMs, act }]) => {
      while (!signal.aborted) {
        try {
          await act();
          tally.done[name] = (tally.done[name] ?? 0) + 1;
        } catch (error) {
          const words = `${name}: ${error instanceof Error ? error.message : String(error)}`;
          tally.wrong[words] = (tally.wrong[words] ?? 0) + 1;
        }
        await setTimeout(everyMs, undefined, { signal }).catch(() => undefined);
      }
    }),
  );
}

async function expectReason(invoked: Promise<unknown>, ...reasons: readonly string[]): Promise<void> {
  const error = await invoked.then(
    () => new Error(`came to an answer, not to ${reasons[0] ?? ""}`),
    (thrown: unknown) => thrown,
  );
  if ((error instanceof LongshoreError || error instanceof InvocationError) && reasons.includes(error.reason)) return;
  throw error;
}

function expectMatch(bytes: Uint8Array, beginning: string): void {
  expectEqual(new TextDecoder().decode(bytes).slice(0, beginning.length), beginning);
}

const expectLength = (bytes: Uint8Array, byteLength: number) => expectEqual(bytes.length, byteLength);

function expectEqual(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`expected ${String(expected)}, got ${String(actual)}`);
}
