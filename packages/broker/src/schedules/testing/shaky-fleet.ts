import { LongshoreError } from "@longshore/protocol";
import { pino } from "pino";
import type { Bucket, Entry, Store } from "../../bus/bus.ts";
import { MemoryStore } from "../../bus/testing/memory-store.ts";
import type { Clock } from "../../clock.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { RunRequest } from "../run-request.ts";
import { Schedules } from "../schedules.ts";

/** A run that was accepted, and when by the true time. */
export interface Arrival {
  readonly run: RunRequest;
  readonly atMs: number;
}

/** Brokers on one bus whose clocks differ, that die, and that freeze at any of their waits; time moves by {@link ShakyFleet.pass}. */
export class ShakyFleet {
  readonly clock = new ManualClock(Date.parse("2026-10-25T00:00:00Z"));
  readonly arrivals: Arrival[] = [];
  readonly brokers = new Map<string, ShakyBroker>();
  readonly functions = new Set(["f"]);
  /** How likely accepting fails, before it was stored or after. */
  failing = 0;
  readonly random: () => number;
  readonly #store = new MemoryStore();
  readonly #accepted = new Set<string>();
  #born = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  get nowMs(): number {
    return this.clock.date().getTime();
  }

  /** A further broker, its clock at most that far from the true one. */
  start(skewMs = 0): ShakyBroker {
    const broker = new ShakyBroker(this, this.#store, `b-${(this.#born += 1)}`, skewMs);
    this.brokers.set(broker.id, broker);
    void broker.schedules.start();
    return broker;
  }

  kill(broker: ShakyBroker): void {
    broker.die();
    this.brokers.delete(broker.id);
  }

  /** Lets that much time go by, and everything happen that happens in it. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Some milliseconds of a network's. */
  delay(): Promise<void> {
    return new Promise((resolve) => this.clock.after(1 + this.random() ** 4 * 500, resolve));
  }

  /** The bus's side of accepting. */
  store(run: RunRequest): void {
    if (!this.functions.has(run.functionName)) throw new LongshoreError("function_not_found", "Cannot find function");
    if (this.random() < this.failing) throw new LongshoreError("store_full", "Cannot store: full");
    if (this.#accepted.has(run.invocationId)) throw new LongshoreError("invocation_exists", "Cannot accept: there is one");
    this.#accepted.add(run.invocationId);
    this.arrivals.push({ run, atMs: this.nowMs });
    if (this.random() < this.failing) throw new LongshoreError("bus_down", "Cannot store: no answer");
  }
}

/** One of them. */
export class ShakyBroker {
  readonly schedules: Schedules;
  readonly id: string;
  readonly #fleet: ShakyFleet;
  #isDead = false;
  #frozen: (() => void)[] | undefined;

  constructor(fleet: ShakyFleet, store: MemoryStore, id: string, skewMs: number) {
    this.id = id;
    this.#fleet = fleet;
    const { clock } = fleet;
    const own: Clock = {
      nowMs: () => clock.nowMs(),
      date: () => new Date(fleet.nowMs + skewMs),
      after: (delayMs, action) => clock.after(delayMs, () => void this.#awake().then(action)),
    };
    this.schedules = new Schedules({
      store: { bucket: async (name: string) => this.#far(await store.bucket(name)) } as unknown as Store,
      clock: own,
      log: pino({ level: "silent" }),
      brokerId: id,
      // Brokers need not agree on who is there.
      brokers: () => (fleet.random() < 0.2 ? [id] : fleet.brokers.keys()),
      accept: (run) => this.#call(() => fleet.store(run)),
      hasFunction: (_, name) => fleet.functions.has(name),
    });
  }

  get isWell(): boolean {
    return !this.#isDead && this.#frozen === undefined;
  }

  die(): void {
    this.#isDead = true;
  }

  freeze(): void {
    this.#frozen ??= [];
  }

  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const go of waiting) go();
  }

  /** What a frozen process goes on with once it thaws, and a dead one never. */
  async #awake(): Promise<void> {
    if (this.#frozen !== undefined) await new Promise<void>((resolve) => this.#frozen?.push(resolve));
    if (this.#isDead) await new Promise(() => undefined);
  }

  /** What was sent arrives whatever becomes of the sender; the answer only at one that is there. */
  async #call<T>(action: () => T | Promise<T>): Promise<T> {
    await this.#fleet.delay();
    const outcome = await Promise.resolve().then(action).then((value) => () => value, (error: unknown) => () => { throw error; });
    await this.#fleet.delay();
    await this.#awake();
    return outcome();
  }

  #far(bucket: Bucket): Bucket {
    return {
      get: (key) => this.#call(() => bucket.get(key)),
      create: (key, value) => this.#call(() => bucket.create(key, value)),
      update: (key, value, revision) => this.#call(() => bucket.update(key, value, revision)),
      put: (key, value) => this.#call(() => bucket.put(key, value)),
      delete: (key) => this.#call(() => bucket.delete(key)),
      watch: (handler) => this.#call(() => bucket.watch((entry: Entry) => void this.#awake().then(() => handler(entry)))),
    };
  }
}
