import { createFleet, type Fleet } from "../fleet.ts";
import type { FleetOptions } from "../options.ts";
import { FakeBroker } from "./fake-broker.ts";

/** A client and the broker that a test plays. */
export interface BrokerScene extends AsyncDisposable {
  readonly broker: FakeBroker;
  readonly fleet: Fleet;
}

export function startBrokerScene(options: FleetOptions = {}): BrokerScene {
  const broker = new FakeBroker();
  const fleet = createFleet({ url: "http://broker.test:4270", WebSocket: broker.WebSocket, ...options });
  return { broker, fleet, [Symbol.asyncDispose]: () => fleet.close() };
}

/** Lets everything that is already due happen: microtasks, streams and I/O callbacks. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
