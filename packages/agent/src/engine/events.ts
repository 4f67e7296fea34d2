import { type Clock, pause, systemClock } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { ContainerId, EngineEvent, OwnedContainer } from "./engine.ts";

/** What a watch asks of an engine. */
export interface WatchSource {
  /** Opens the stream of {@link watchedActions} on owned containers; with `sinceMs` (epoch milliseconds) from then on, as far as the engine remembers. */
  open(options: { sinceMs: number | undefined; signal: AbortSignal }): Promise<AsyncIterable<unknown>>;
  /** Reads the states themselves: what the stream is checked against. */
  list(): Promise<readonly OwnedContainer[]>;
}

/** How often a stream is checked against the engine's own list, and how long to wait before connecting again. */
export interface WatchTiming {
  readonly checkMs: number;
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

const defaultTiming: WatchTiming = { checkMs: 15_000, retryMs: 100, retryMaxMs: 2_000 };

/** Every action that changes the list which a stream is checked against, and `oom`. */
export const watchedActions = ["create", "start", "die", "oom", "destroy"] as const;

/**
 * Follows the engine's event stream for as long as it is wanted.
 *
 * 1. From the call on no event is lost silently: the first stream begins at the call, every other one is announced by `gap`.
 * 2. A stream that ends or breaks is opened again, at first soon, later every `retryMaxMs`.
 * 3. A stream can go quiet without an error. Every `checkMs` the engine's list is read; if containers came, went, started or stopped
 *    while the stream said nothing, it is deaf and is opened again. A list that cannot be read counts as a broken stream.
 */
export function watchEvents(source: WatchSource, handler: (event: EngineEvent) => void, log?: Logger, timing = defaultTiming, clock = systemClock): { close(): void } {
  const closed = new AbortController();
  void follow(source, (event) => closed.signal.aborted || handler(event), log, timing, clock, closed.signal);
  return { close: () => closed.abort() };
}

async function follow(source: WatchSource, handler: (event: EngineEvent) => void, log: Logger | undefined, timing: WatchTiming, clock: Clock, closed: AbortSignal): Promise<void> {
  const isClosed = () => closed.aborted;
  let sinceMs: number | undefined = clock.wallMs();
  let retryMs = timing.retryMs;
  while (!isClosed()) {
    const connection = new AbortController();
    const signal = AbortSignal.any([closed, connection.signal]);
    try {
      const stream = await source.open({ sinceMs, signal });
      if (sinceMs === undefined) handler({ kind: "gap" }); // 1
      retryMs = timing.retryMs;
      const heard = { count: 0 };
      await Promise.race([listen(stream, handler, heard), untilDeaf(source, heard, timing, clock, signal)]);
    } catch (error) {
      if (!isClosed()) log?.warn({ err: error, retryMs }, "engine events interrupted");
    } finally {
      connection.abort();
    }
    sinceMs = undefined;
    await pause(clock, retryMs, closed);
    retryMs = Math.min(retryMs * 2, timing.retryMaxMs); // 2
  }
}

async function listen(stream: AsyncIterable<unknown>, handler: (event: EngineEvent) => void, heard: { count: number }): Promise<never> {
  for await (const message of stream) {
    heard.count += 1;
    const event = readEvent(message);
    if (event !== undefined) handler(event);
  }
  throw new Error("The engine ended its event stream");
}

/** Rejects when the engine's list has changed while nothing was heard, or cannot be read. */
async function untilDeaf(source: WatchSource, heard: { count: number }, { checkMs }: WatchTiming, clock: Clock, signal: AbortSignal): Promise<never> {
  for (let heardBefore = -1, before = ""; ; ) {
    const mark = heard.count;
    const now = fingerprint(await source.list());
    if (heardBefore === mark && now !== before) throw new Error("The engine's event stream has gone quiet"); // 3
    [heardBefore, before] = [mark, now];
    await pause(clock, checkMs, signal);
    signal.throwIfAborted();
  }
}

function fingerprint(containers: readonly OwnedContainer[]): string {
  return containers.map(({ id, running }) => `${id} ${running}`).sort().join("\n");
}

interface EngineMessage {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
}

/** What a line of the engine's event stream means to us, if anything. */
export function readEvent(message: unknown): EngineEvent | undefined {
  const { Type: type, Action: action, Actor: actor } = message as EngineMessage;
  if (type !== "container" || actor?.ID === undefined) return undefined;
  const id = actor.ID as ContainerId;
  if (action === "die") return { kind: "exited", id, exitCode: Number(actor.Attributes?.["exitCode"] ?? 0) };
  if (action === "oom") return { kind: "out_of_memory", id };
  if (action === "destroy") return { kind: "removed", id };
  return undefined;
}
