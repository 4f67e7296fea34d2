import { LongshoreError } from "@longshore/protocol";

/** Runs an operation on the bus; whatever the client throws comes out as `bus_down`: the outcome is unknown, it may be repeated. */
export async function attempt<T>(action: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof LongshoreError) throw error;
    throw new LongshoreError("bus_down", `Cannot ${action}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** What an operation throws when there is no connection to carry it. */
export function notConnected(action: string): LongshoreError {
  return new LongshoreError("bus_down", `Cannot ${action}: the broker is not connected to the bus`, { retryAfterMs: 1_000 });
}
