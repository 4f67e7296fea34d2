/** What we need of a WebSocket: the one of browsers and Node, or any that behaves like it. */
export interface WebSocketLike {
  binaryType: string;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: never) => void): void;
}

/** Makes a {@link WebSocketLike}: the global `WebSocket`, or another one's constructor. */
export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike;
