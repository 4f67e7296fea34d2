import type { Heartbeat } from "@longshore/protocol";

/** How often a heartbeat goes out when nothing changes. A broker takes an agent for lost after three missed ones. */
export const heartbeatIntervalMs = 5_000;
/** Changes within that time go out as one heartbeat, so that a busy agent does not flood its brokers. */
export const changeDelayMs = 25;

export interface Heartbeats {
  /** Capacity changed: a heartbeat goes out soon. */
  changed(): void;
  /** Sends one now. */
  beat(): void;
  close(): void;
}

/** Sends what `read` says every {@link heartbeatIntervalMs}, and {@link changeDelayMs} after a change. */
export function startHeartbeats(read: (sequence: number) => Heartbeat, send: (heartbeat: Heartbeat) => void): Heartbeats {
  let sequence = 0;
  let soon: NodeJS.Timeout | undefined;
  const beat = () => {
    clearTimeout(soon);
    soon = undefined;
    sequence += 1;
    send(read(sequence));
  };
  const regular = setInterval(beat, heartbeatIntervalMs);
  return {
    beat,
    changed() {
      soon ??= setTimeout(beat, changeDelayMs);
    },
    close() {
      clearInterval(regular);
      clearTimeout(soon);
    },
  };
}
