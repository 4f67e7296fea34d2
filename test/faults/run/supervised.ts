import { setTimeout as delay } from "node:timers/promises";
import { type FleetProcess, type StartedProgram, startCommand } from "../../support/processes.ts";

/** How a part of the fleet is started the first time, and again. */
export interface Starting {
  readonly name: string;
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Words in front of its command. */
  readonly prefix?: readonly string[];
  /** The setting that names a failpoint. */
  readonly failpointVariable: string;
}

const againAfterMs = 500;

/** A broker or an agent in a process of its own, which is begun again when it ends by itself, as a service would be. */
export class Supervised {
  readonly name: string;
  /** Processes that ended without being told to: what each wrote. */
  readonly deaths: string[] = [];
  readonly #starting: Starting;
  readonly #processes: FleetProcess[] = [];
  #beginning: Promise<void> | undefined;
  #isWanted = false;

  constructor(starting: Starting) {
    this.name = starting.name;
    this.#starting = starting;
  }

  get #process(): FleetProcess | undefined {
    return this.#processes.at(-1);
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** What all its processes wrote to stderr. */
  get errors(): string {
    return this.#processes.map((each) => `${each.pid}\n${each.errors()}`).join("\n");
  }

  get failpointVariable(): string {
    return this.#starting.failpointVariable;
  }

  /** Resolves once it says that it is up; it is tried again for as long as it ends before. `environment` is for its next process alone. */
  start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#isWanted = true;
    return (this.#beginning ??= this.#begin(environment).finally(() => (this.#beginning = undefined)));
  }

  /** Resolves once it is up, where it is being begun again. */
  async untilUp(): Promise<void> {
    await this.#beginning;
  }

  /** `kill -9`; it stays away until it is started. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    await this.#process?.kill();
    await this.#beginning;
  }

  /** Stops every instruction of it; it notices nothing. */
  freeze(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  thaw(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** Ctrl-C. */
  async interrupt(): Promise<void> {
    this.#isWanted = false;
    await this.#process?.interrupt();
    await this.#beginning;
  }

  async #begin(environment: Readonly<Record<string, string>>): Promise<void> {
    for (let own = environment; this.#isWanted; own = {}) {
      const started = startCommand(this.#starting.words, { ...this.#starting.environment, ...own }, this.#starting.prefix);
      this.#processes.push(started.process);
      if (await isUp(started)) return this.#watch(started);
      this.deaths.push(started.process.errors());
      await delay(againAfterMs);
    }
  }

  /** A process that ends although nobody killed it, as at a failpoint, is begun again. */
  #watch({ process: started }: StartedProgram): void {
    void started.ended.then(() => {
      if (!this.#isWanted || this.#process !== started) return;
      this.deaths.push(started.errors());
      void this.start();
    });
  }
}

async function isUp({ lines }: StartedProgram): Promise<boolean> {
  try {
    await lines.next();
    return true;
  } catch {
    return false;
  }
}
