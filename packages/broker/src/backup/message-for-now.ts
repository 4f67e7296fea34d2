import type { MessageHeader, RestoredMessage, StoredMessage, StreamSettings } from "../bus/stored-message.ts";

/** What a schedule that is overdue waits at least: a broker is to end what it is for, truly, before the server takes it out. */
export const scheduleGraceMs = 3_600_000;

/** Conditions on the write that it once was, its place in a batch, and what the server did at that write. */
const ofTheWrite = /^Nats-(Expected-|Batch-|Rollup$|Scheduler$|Schedule-Next$|Msg-Id$)/;

/**
 * A kept message as it goes into a stream at that time (epoch milliseconds): with what is left of its life, and a schedule that is still
 * to come. Undefined when its life is over.
 */
export function messageForNow({ subject, storedAtMs, headers, payload }: StoredMessage, { max_age = 0 }: Pick<StreamSettings, "max_age">, nowMs: number): RestoredMessage | undefined {
  const ageMs = nowMs - storedAtMs;
  if (max_age > 0 && ageMs >= max_age / 1e6) return undefined;
  const own: MessageHeader[] = [];
  for (const [name, value] of headers) {
    if (ofTheWrite.test(name)) continue;
    const now = name === "Nats-TTL" ? lifeLeft(value, ageMs) : name === "Nats-Schedule" ? scheduleToCome(value, nowMs) : value;
    if (now === undefined) return undefined;
    own.push([name, now]);
  }
  return { subject, headers: own, payload };
}

/** `604800s` less the age, upwards to whole seconds; other forms stay as they are. */
function lifeLeft(value: string, ageMs: number): string | undefined {
  const seconds = /^(\d+)s?$/.exec(value)?.[1];
  if (seconds === undefined) return value;
  const left = Math.ceil(Number(seconds) - ageMs / 1000);
  return left > 0 ? `${left}s` : undefined;
}

function scheduleToCome(value: string, nowMs: number): string {
  const atMs = value.startsWith("@at ") ? Date.parse(value.slice("@at ".length)) : NaN;
  return atMs < nowMs + scheduleGraceMs ? `@at ${new Date(nowMs + scheduleGraceMs).toISOString()}` : value;
}
