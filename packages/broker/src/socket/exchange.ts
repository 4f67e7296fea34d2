import { type Frame, LongshoreError } from "@longshore/protocol";
import type { Outlet } from "./outlet.ts";

/** One exchange on a socket, as its connection sees it. */
export interface Exchange {
  /** A further frame of the caller. Throws `bad_frame` when it does not fit: the exchange is then ended with that error. */
  frame(frame: Frame): void;
  /** The exchange is over without a word from it: the socket closed, or a frame did not fit. */
  abort(): void;
  /** The broker is draining: one that has no end of its own ends now, with that error. */
  brokerDraining(error: LongshoreError): void;
}

/** What an exchange has of its connection. */
export interface ExchangeLink {
  send(frame: Frame): void;
  /** Sends the last frame; nothing may be sent after it, and the caller's late frames are dropped. */
  finish(frame: Frame): void;
  readonly outlet: Outlet;
}

/** A frame that an exchange of this kind does not have. */
export function unexpectedFrame(frame: Frame): LongshoreError {
  return new LongshoreError("bad_frame", `Cannot take frame "${frame.kind}" here`);
}
