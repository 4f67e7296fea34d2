import type { ContainerId, ContainerState, Engine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";

/** What becomes of one container. */
export interface ContainerFate {
  /** Resolves once it does not run any more: exited, killed, removed, by whomever. */
  readonly exited: Promise<ContainerState>;
  /** Its last state, once it has exited. */
  readonly exit: ContainerState | undefined;
  /** The kernel killed one of its processes for memory. */
  readonly sawOutOfMemory: boolean;
  /** Something hints that it ended: ask the engine now. */
  recheck(): void;
  /** Nobody is interested any more. */
  forget(): void;
}

/** Follows containers by the engine's events, and by asking where events may have been missed. */
export interface FateWatch {
  follow(id: ContainerId): ContainerFate;
  close(): void;
}

/** Begins to follow the engine's events. */
export function watchFates(engine: Pick<Engine, "watch" | "inspectContainer">, log: Logger): FateWatch {
  const followed = new Map<ContainerId, Fate>();
  const inspect = async (fate: Fate) => {
    try {
      const state = await engine.inspectContainer(fate.id);
      if (state === undefined) fate.settle(fate.vanished);
      else if (!state.running && state.exitCode !== undefined) fate.settle(state); // Else it is still to be started.
    } catch (error) {
      // Without an exit seen, the truth is unknown until the engine can be asked again, which it says through a gap in its events.
      if (fate.exitCode !== undefined) fate.settle(fate.vanished);
      else log.warn({ err: error, containerId: fate.id }, "container state unknown");
    }
  };
  const watch = engine.watch((event) => {
    if (event.kind === "gap") {
      for (const fate of followed.values()) void inspect(fate);
      return;
    }
    const fate = followed.get(event.id);
    if (fate === undefined) return;
    if (event.kind === "out_of_memory") {
      fate.sawOutOfMemory = true;
    } else if (event.kind === "removed") {
      fate.settle(fate.vanished);
    } else {
      fate.exitCode = event.exitCode;
      void inspect(fate); // The event does not say whether memory was the cause.
    }
  });
  return {
    follow(id) {
      const fate = new Fate(id, () => void inspect(fate), () => followed.delete(id));
      followed.set(id, fate);
      return fate;
    },
    close() {
      watch.close();
      followed.clear();
    },
  };
}

class Fate implements ContainerFate {
  readonly id: ContainerId;
  readonly exited: Promise<ContainerState>;
  readonly recheck: () => void;
  readonly forget: () => void;
  sawOutOfMemory = false;
  exit: ContainerState | undefined;
  /** As an event told it. */
  exitCode: number | undefined;
  #resolve!: (state: ContainerState) => void;

  constructor(id: ContainerId, recheck: () => void, forget: () => void) {
    this.id = id;
    this.recheck = recheck;
    this.forget = forget;
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** What can be said of a container that the engine no longer has. */
  get vanished(): ContainerState {
    return { running: false, exitCode: this.exitCode, oomKilled: this.sawOutOfMemory, error: undefined, ip: undefined };
  }

  /** The first account of the end counts. */
  settle(state: ContainerState): void {
    if (this.exit !== undefined) return;
    this.exit = state;
    if (state.oomKilled) this.sawOutOfMemory = true;
    this.#resolve(state);
  }
}
