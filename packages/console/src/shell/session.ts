import { signal } from "@preact/signals";
import { createFleet, type Fleet, type FleetEvent, type FleetOptions, type FunctionView, LongshoreError } from "@longshore/sdk";
import { FleetStore } from "../fleet/fleet-store.ts";
import { LiveHistory } from "../functions/live-history.ts";
import { SentRequests } from "../functions/request-draft.ts";
import { TailStore } from "../invocations/tail-store.ts";
import { type Connection, type ConnectionEvent, nextConnection } from "./connection.ts";
import { createFrameBatch } from "./frame-batch.ts";
import type { KeyHolder } from "./key-holder.ts";

const retryMs = 1_500;
/** Redrawing a list of thousands as often as a screen shows it would leave no time for anything else. */
const largeFleet = 500;
const largeFleetDrawMs = 250;

/**
 * The page's one connection to its broker, and all that is told over it. Stores are plain values; whoever shows one reads its signal, which
 * counts the changes that are to be drawn.
 */
export class Session {
  readonly connection = signal<Connection>({ phase: "connecting" });
  readonly fleetStore = new FleetStore();
  readonly tail = new TailStore();
  readonly live = new LiveHistory(Math.random);
  readonly sent = new SentRequests();
  /** By name; undefined until they have been listed. */
  readonly functions = signal<readonly FunctionView[] | undefined>(undefined);
  readonly fleetDraws = signal(0);
  readonly tailDraws = signal(0);
  readonly keys: KeyHolder;
  readonly #url: string;
  #fleet: Fleet | undefined;
  #leaving = new AbortController();
  readonly #fleetChanged = createFrameBatch((run) => this.#onFrame(run), () => (this.fleetDraws.value += 1));
  readonly #tailChanged = createFrameBatch((run) => requestAnimationFrame(run), () => (this.tailDraws.value += 1));
  readonly #listAgain = createFrameBatch((run) => setTimeout(run, retryMs), () => void this.listFunctions());
  readonly #listSoon = createFrameBatch((run) => setTimeout(run, 200), () => void this.listFunctions());

  constructor(url: string, keys: KeyHolder) {
    this.#url = url;
    this.keys = keys;
  }

  /** The client to act with. */
  get fleet(): Fleet {
    return (this.#fleet ??= createFleet({ url: this.#url, key: this.keys.key, WebSocket: this.#observedSocket(), idleMs: 60_000, connectTimeoutMs: 5_000 }));
  }

  /** Begins to watch, for as long as the page is open. */
  start(): void {
    void this.#watch(this.#leaving.signal);
  }

  /** Goes on with another key, or with none. */
  async unlock(key: string | undefined, inTab = false): Promise<void> {
    if (key === undefined) this.keys.forget();
    else this.keys.hold(key, { inTab });
    this.#leaving.abort();
    this.#leaving = new AbortController();
    await this.#fleet?.close();
    this.#fleet = undefined;
    this.#tell({ what: "unlocked" });
    this.start();
  }

  /** Lists the functions again. */
  async listFunctions(): Promise<void> {
    try {
      this.functions.value = await this.fleet.list();
    } catch (error) {
      if (error instanceof LongshoreError && (error.code === "unauthenticated" || error.code === "permission_denied")) this.#failed(error);
      else if (this.connection.value.phase === "live") this.#listAgain(); // A connection that opens has them listed anyway.
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const event of this.fleet.watch({ signal })) this.#take(event);
      } catch (error) {
        if (this.#leaving.signal !== signal) return; // Somebody unlocked it anew.
        this.#failed(error);
        if (this.connection.value.phase === "locked" || this.connection.value.phase === "refused") return;
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  #take(event: FleetEvent): void {
    switch (event.event) {
      case "function":
        return this.#listSoon();
      case "invocation":
        this.tail.take(event);
        this.live.take(event.record);
        return this.#tailChanged();
      default:
        if (event.event === "caught_up") this.#tell({ what: "opened" });
        this.fleetStore.take(event, Date.now());
        return this.#fleetChanged();
    }
  }

  #failed(error: unknown): void {
    if (error instanceof LongshoreError) this.#tell({ what: "failed", error });
  }

  #tell(event: ConnectionEvent): void {
    const before = this.connection.value;
    const after = nextConnection(before, event, Date.now());
    this.connection.value = after;
    if (after.phase === "live" && before.phase !== "live") void this.listFunctions();
  }

  #onFrame(run: () => void): void {
    if (this.fleetStore.size < largeFleet) requestAnimationFrame(run);
    else setTimeout(() => requestAnimationFrame(run), largeFleetDrawMs);
  }

  /** The client mends its connection by itself and says nothing of it; its sockets do. */
  #observedSocket(): NonNullable<FleetOptions["WebSocket"]> {
    const opened = () => this.fleetStore.beginAgain();
    const closed = () => this.#tell({ what: "closed" });
    class ObservedSocket extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols);
        this.addEventListener("open", opened);
        this.addEventListener("close", closed);
      }
    }
    return ObservedSocket as unknown as NonNullable<FleetOptions["WebSocket"]>;
  }
}
