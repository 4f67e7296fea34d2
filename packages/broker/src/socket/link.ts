/** What a socket's connection needs of the WebSocket under it; `server.ts` makes one over `ws`. */
export interface Link {
  send(message: Uint8Array): void;
  /** Says goodbye with a code of RFC 6455; what was sent before it still goes out. */
  close(code: number, reason: string): void;
  /** Cuts the connection now. */
  terminate(): void;
  ping(): void;
  /** Stops and goes on reading; a few messages that were read already may still come. */
  pause(): void;
  resume(): void;
  /** Bytes sent and not yet taken by the operating system. */
  readonly bufferedBytes: number;
}

/** Close codes of RFC 6455, as this interface uses them. */
export const closeCodes = {
  /** The broker is draining or shutting down: connect again, to another one if there is. */
  goingAway: 1001,
  /** Frames in an order that the protocol does not have. */
  protocolError: 1002,
  /** A text message: frames are binary. */
  unsupported: 1003,
  /** A message that is not a frame. */
  notAFrame: 1007,
  /** Not authenticated, or a reader that takes nothing. */
  policy: 1008,
} as const;
