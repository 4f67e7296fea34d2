import { createHash, randomBytes } from "node:crypto";
import { createInvocationId, type FunctionName, LongshoreError, type PageQuery, parseInput, parseName, scheduleDocumentSchema, type ScheduleList, scheduleNameSchema, type ScheduleName, type ScheduleRun, type ScheduleView, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Store } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";
import { Documents } from "../identity/documents.ts";
import { pageOf } from "../page.ts";
import { derivedId } from "../queue/derived-id.ts";
import { underKey } from "../queue/idempotency-key.ts";
import { ownerOf } from "../queue/owner-of.ts";
import { functionNotFound } from "../registry/registry.ts";
import { type Accept, extraRunOf } from "./run-request.ts";
import { ScheduleRunner } from "./schedule-runner.ts";
import { defined, type StoredSchedule, storedScheduleSchema, viewOf, withPause } from "./stored-schedule.ts";

export interface SchedulesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly brokerId: string;
  /** Every broker that is there, this one among them. */
  readonly brokers: () => Iterable<string>;
  readonly accept: Accept;
  /** Tells whether a tenant has a function of that name. */
  readonly hasFunction: (tenantId: TenantId, functionName: FunctionName) => boolean;
}

/** A tenant has this many at most. */
const maxPerTenant = 1_000;

/** The schedules of the fleet, in a bucket that every broker watches; and their runs. Changes go by compare-and-set. */
export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #documents: Documents<StoredSchedule>;
  readonly #runner: ScheduleRunner;

  constructor(options: SchedulesOptions) {
    const { store, clock, log, accept } = options;
    this.#options = options;
    this.#documents = new Documents({ store, name: "schedules", schema: storedScheduleSchema, log });
    this.#runner = new ScheduleRunner({ documents: this.#documents, clock, log, accept, isOwner: (key) => this.#isOwner(key) });
  }

  /** Begins to run what is due; resolves once every schedule has been read. */
  async start(): Promise<void> {
    await this.#documents.start();
    this.#documents.onChange((key, stored) => this.#runner.changed(key, stored));
    for (const stored of this.#documents.values()) this.#runner.changed(keyOf(stored.tenantId, stored.definition.name), stored);
  }

  /** Begins no further run. Idempotent. */
  close(): void {
    this.#runner.close();
    this.#documents.close();
  }

  /** By name, without bodies. */
  page(tenantId: TenantId, page: PageQuery): ScheduleList {
    const { items, next } = pageOf(this.#own(tenantId), ({ definition }) => definition.name, page);
    return { schedules: items.map((stored) => viewOf(stored, { withBody: false })), next };
  }

  /** Throws `schedule_not_found`. */
  view(tenantId: TenantId, name: string): ScheduleView {
    return viewOf(this.#peek(tenantId, nameOf(name)), { withBody: true });
  }

  /** Makes a schedule or changes it; `created`: it was not there. Throws `bad_schema`, `function_not_found`, or `quota` when the tenant has too many. */
  async set(tenantId: TenantId, name: string, document: unknown): Promise<{ view: ScheduleView; created: boolean }> {
    const scheduleName = nameOf(name);
    const definition = parseInput(scheduleDocumentSchema, named(document, scheduleName), "schedule");
    if (!this.#options.hasFunction(tenantId, definition.function)) throw functionNotFound(definition.function);
    if (this.#documents.peek(keyOf(tenantId, scheduleName)) === undefined && this.#own(tenantId).length >= maxPerTenant) {
      throw new LongshoreError("quota", `Cannot keep schedule "${scheduleName}": there are ${maxPerTenant} already`, { phase: "admission" });
    }
    const made = { creationId: randomBytes(8).toString("hex"), nowMs: this.#nowMs() };
    const stored = await this.#change(tenantId, scheduleName, (before) => defined(before, tenantId, definition, made));
    return { view: viewOf(stored, { withBody: true }), created: stored.creationId === made.creationId };
  }

  /** Throws `schedule_not_found`. What it had accepted goes on. */
  async remove(tenantId: TenantId, name: string): Promise<void> {
    const scheduleName = nameOf(name);
    await this.#read(tenantId, scheduleName);
    await this.#documents.remove(keyOf(tenantId, scheduleName));
  }

  /** Runs nothing more, or again from now on. Throws `schedule_not_found`. */
  async pause(tenantId: TenantId, name: string, paused: boolean): Promise<ScheduleView> {
    const scheduleName = nameOf(name);
    const stored = await this.#change(tenantId, scheduleName, (before) => {
      if (before === undefined) throw scheduleNotFound(scheduleName);
      return withPause(before, paused, this.#nowMs());
    });
    return viewOf(stored, { withBody: true });
  }

  /** Accepts one run now, besides the due times, also while it is paused; one under one key. Throws `schedule_not_found`, `idempotency_mismatch`, and what accepting throws. */
  async run(tenantId: TenantId, name: string, key?: string): Promise<ScheduleRun> {
    const scheduleName = nameOf(name);
    const stored = await this.#read(tenantId, scheduleName);
    const invocationId = key === undefined ? createInvocationId(this.#nowMs()) : derivedId("run", tenantId, scheduleName, key);
    const accept = () => this.#options.accept(extraRunOf(stored, invocationId));
    if (key === undefined) await accept();
    else await underKey({ field: "Idempotency-Key", invocationId, action: `run schedule "${scheduleName}"` }, accept);
    return { invocationId };
  }

  async #change(tenantId: TenantId, name: ScheduleName, change: (before: StoredSchedule | undefined) => StoredSchedule): Promise<StoredSchedule> {
    const stored = await this.#documents.change(keyOf(tenantId, name), change);
    if (stored === undefined) throw scheduleNotFound(name);
    return stored;
  }

  async #read(tenantId: TenantId, name: ScheduleName): Promise<StoredSchedule> {
    const found = await this.#documents.read(keyOf(tenantId, name));
    if (found === undefined) throw scheduleNotFound(name);
    return found.value;
  }

  #peek(tenantId: TenantId, name: ScheduleName): StoredSchedule {
    const stored = this.#documents.peek(keyOf(tenantId, name));
    if (stored === undefined) throw scheduleNotFound(name);
    return stored;
  }

  #own(tenantId: TenantId): StoredSchedule[] {
    return [...this.#documents.values()].filter((stored) => stored.tenantId === tenantId).sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
  }

  /** Which broker tries first is agreed upon without asking; it only spares effort. */
  #isOwner(key: string): boolean {
    const { brokers, brokerId } = this.#options;
    return ownerOf(createHash("sha256").update(key).digest().readUInt32BE(0), brokers()) === brokerId;
  }

  #nowMs(): number {
    return this.#options.clock.date().getTime();
  }
}

/** Neither has a dot. */
function keyOf(tenantId: string, name: string): string {
  return `${tenantId}.${name}`;
}

function nameOf(name: string): ScheduleName {
  return parseName(scheduleNameSchema, name, "schedule");
}

/** The name in the path is the schedule's; one in the document may only repeat it. */
function named(document: unknown, name: ScheduleName): unknown {
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new LongshoreError("bad_schema", "Cannot read schedule: expected a JSON object", { phase: "admission", field: "body" });
  }
  const given = (document as { name?: unknown }).name;
  if (given !== undefined && given !== name) throw new LongshoreError("bad_name", `Cannot set schedule: the document names ${JSON.stringify(given).slice(0, 64)} and the path "${name}"`, { phase: "admission", field: "name" });
  return { ...document, name };
}

function scheduleNotFound(name: string): LongshoreError {
  return new LongshoreError("schedule_not_found", `Cannot find schedule "${name}"`, { phase: "admission" });
}
