import { setTimeout as delay } from "node:timers/promises";
import { type FleetProcess, type StartedProgram, startCommand } from "../../support/processes.ts";

/** How a part of the fleet is started the first time, and again. */
export interface Starting {
  readonly name: string;
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const againAfterMs = 500;

/** A broker or an agent in a process of its own, which is begun again when it ends by itself, as a service would be. */
export class Supervised {
  readonly name: string;
  /** Processes that ended without being told to: what each wrote. */
  readonly deaths: string[] = [];
  readonly #starting: Starting;
  #process: FleetProcess | undefined;
  #isWanted = false;

  constructor(starting: Starting) {
    this.name = starting.name;
    this.#starting = starting;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** What its present process wrote to stderr. */
  get errors(): string {
    return this.#process?.errors() ?? "";
  }

  /** Resolves once it says that it is up; it is tried again for as long as it ends before. `environment` is for this process alone. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#isWanted = true;
    while (this.#isWanted) {
      const started = startCommand(this.#starting.words, { ...this.#starting.environment, ...environment });
      this.#process = started.process;
      if (await isUp(started)) return this.#watch(started);
      this.deaths.push(started.process.errors());
      await delay(againAfterMs);
    }
  }

  /** `kill -9`; it stays away until it is started. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    await this.#process?.kill();
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
