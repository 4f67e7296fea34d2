import type { FleetEvent, TenantId } from "@longshore/protocol";

type Handler = (event: FleetEvent) => void;

/** Tells those who watch the fleet what happens in it. Events cost nothing while nobody watches. */
export class EventHub {
  readonly #handlers = new Map<TenantId, Set<Handler>>();
  readonly #snapshot: (tenantId: TenantId) => readonly FleetEvent[];

  /** `snapshot`: the state as events, for whoever begins to watch. */
  constructor(snapshot: (tenantId: TenantId) => readonly FleetEvent[]) {
    this.#snapshot = snapshot;
  }

  /** Every agent as it stands, as events. */
  snapshot(tenantId: TenantId): readonly FleetEvent[] {
    return this.#snapshot(tenantId);
  }

  /** Calls `handler` with each event from now on that the tenant may see, until the returned function is called. */
  subscribe(tenantId: TenantId, handler: Handler): () => void {
    const handlers = this.#handlers.get(tenantId) ?? new Set();
    this.#handlers.set(tenantId, handlers.add(handler));
    return () => {
      if (handlers.delete(handler) && handlers.size === 0) this.#handlers.delete(tenantId);
    };
  }

  /** True when anybody watches. */
  get hasWatchers(): boolean {
    return this.#handlers.size > 0;
  }

  /** True when somebody of that tenant watches. */
  isWatched(tenantId: TenantId): boolean {
    return this.#handlers.has(tenantId);
  }

  /** Tells one tenant's watchers. */
  tell(tenantId: TenantId, event: FleetEvent): void {
    for (const handler of this.#handlers.get(tenantId) ?? []) handler(event);
  }

  /** Tells every tenant's watchers what is made for that tenant; `make` is called for tenants that watch only. */
  tellEach(make: (tenantId: TenantId) => FleetEvent): void {
    for (const tenantId of this.#handlers.keys()) this.tell(tenantId, make(tenantId));
  }
}
