import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { HarnessClock } from "./harness-clock.ts";
import { type HistoryEvent, historyEventSchema, type HistoryInput } from "./history.ts";

type Unstamped<Event> = Event extends { atMs: number } ? Omit<Event, "atMs"> & { readonly atMs?: number } : never;

/** Appends events to a file as JSON lines, each on its way to the disk when `write` returns: a harness that is killed leaves a history up to then. */
export class HistoryWriter implements Disposable {
  readonly #file: number;
  readonly #clock: HarnessClock;

  private constructor(file: number, clock: HarnessClock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Throws when there is a history of that name already. */
  static open(path: string, clock: HarnessClock): HistoryWriter {
    return new HistoryWriter(openSync(path, "ax"), clock);
  }

  /** Stamps it with the present, unless it says when it was. Throws naming the field of an event that is none. */
  write(event: Unstamped<HistoryInput>): HistoryEvent {
    const checked = parseEvent({ atMs: this.#clock.nowMs(), ...event }, "event");
    writeSync(this.#file, `${JSON.stringify(checked)}\n`);
    return checked;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

/** Reads a history; throws naming file, line and field of what is no event. A last line that was not written to its end is left out. */
export function readHistory(path: string): HistoryEvent[] {
  const whole = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return whole.map((line, index) => parseEvent(parseLine(line), `${path}, line ${index + 1}`));
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function parseEvent(value: unknown, where: string): HistoryEvent {
  const parsed = historyEventSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`Cannot read history: ${where}: ${issue?.path.join(".") || "event"}: ${issue?.message ?? "invalid"}`);
}
