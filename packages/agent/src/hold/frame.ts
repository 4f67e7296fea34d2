import { LongshoreError } from "@longshore/protocol";
import { signalName } from "./signal-name.ts";

// What travels between the agent and `hold`: the start frame on stdin, and behind the program's output the trailer. README.md draws
// both; hold.c is the other side, and comes from the same package, so neither carries a version.

/** Length of a nonce. It is random, and the program cannot read it, so that it cannot write a trailer of its own. */
export const nonceBytes = 16;

/** A byte that stands nowhere in UTF-8: what a program writes as text never looks like a trailer's beginning, and never waits for more. */
const firstNonceByte = 0xff;

/** A nonce of its own for one instance, from a source of random bytes. */
export function createNonce(randomBytes: (length: number) => Uint8Array): Uint8Array {
  return Uint8Array.of(firstNonceByte, ...randomBytes(nonceBytes - 1));
}

const frameBytesMax = 2 ** 20;
const trailerBytes = nonceBytes + 12;
const unknownCount = 0xffff_ffff;
const nothing = new Uint8Array(0);

/** Tells a held instance to begin its program. */
export interface HoldFrame {
  /** Random, of {@link nonceBytes}; marks this instance's trailer. */
  readonly nonce: Uint8Array;
  /** `NAME=value`, over the image's own environment; the last of one name wins. */
  readonly env: readonly string[];
}

/** The frame as `hold` reads it from stdin. Throws `bad_schema` for an entry without a name or with a NUL, or when all is over 1 MiB. */
export function encodeHoldFrame({ nonce, env }: HoldFrame): Uint8Array {
  if (nonce.length !== nonceBytes) throw new RangeError(`A nonce has ${nonceBytes} bytes`);
  const bad = env.findIndex((entry) => entry.indexOf("=") < 1 || entry.includes("\0"));
  if (bad !== -1) throw new LongshoreError("bad_schema", `Cannot begin program: variable ${bad} is not of the form NAME=value`, { field: `env[${bad}]` });
  const entries = Buffer.from(env.map((entry) => `${entry}\0`).join(""));
  const length = nonceBytes + entries.length;
  if (length > frameBytesMax) throw new LongshoreError("bad_schema", "Cannot begin program: environment is over 1 MiB", { field: "env" });
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(length);
  return Buffer.concat([prefix, nonce, entries]);
}

/** How a program under `hold run` ended. */
export type HoldStatus = HoldEnding & {
  /** Processes of the container that the kernel killed for memory; undefined where it does not say. */
  readonly oomKills: number | undefined;
};

type HoldEnding =
  | { readonly kind: "exited"; readonly code: number }
  /** Linux' name of the signal: `SIGKILL`. */
  | { readonly kind: "signalled"; readonly signal: string }
  /** No line of the program has run: 127 there is no such program, 126 it cannot be executed. stderr has a line that says why. */
  | { readonly kind: "not_started"; readonly code: number };

/**
 * Separates the program's bytes from the trailer on stdout or stderr of `hold run`; each stream has its own. Nothing is held back
 * but what may be the trailer's beginning, and nothing is copied but what had been held back.
 */
export class TrailerScanner {
  readonly #nonce: Uint8Array;
  #held = nothing;
  #status: HoldStatus | undefined;

  constructor(nonce: Uint8Array) {
    this.#nonce = nonce;
  }

  /** Set once the trailer has come: the program has ended and its output is whole. */
  get status(): HoldStatus | undefined {
    return this.#status;
  }

  /** Takes the stream's next bytes, cut anywhere; returns those that are the program's. After the trailer only what it left running writes: dropped. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#status !== undefined) return nothing;
    const bytes = this.#held.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([this.#held, chunk]);
    let at = bytes.indexOf(this.#nonce);
    for (; at !== -1 && bytes.length - at >= trailerBytes; at = bytes.indexOf(this.#nonce, at + 1)) {
      this.#status = decodeTrailer(bytes.subarray(at));
      if (this.#status !== undefined) break;
    }
    const end = at === -1 ? beginningAtEnd(bytes, this.#nonce) : at;
    this.#held = this.#status === undefined ? Uint8Array.from(bytes.subarray(end)) : nothing;
    return bytes.subarray(0, end);
  }

  /** The stream ended: returns what was held back. Without a {@link status} by now, `hold` itself was killed; the engine knows more. */
  end(): Uint8Array {
    const rest = this.#held;
    this.#held = nothing;
    return rest;
  }
}

/** Where at the end of `bytes` a beginning of `nonce` stands; their length when there is none. */
function beginningAtEnd(bytes: Buffer, nonce: Uint8Array): number {
  const first = nonce[0] ?? 0;
  let at = bytes.indexOf(first, Math.max(0, bytes.length - nonce.length + 1));
  while (at !== -1 && bytes.compare(nonce, 0, bytes.length - at, at) !== 0) at = bytes.indexOf(first, at + 1);
  return at === -1 ? bytes.length : at;
}

function decodeTrailer(trailer: Buffer): HoldStatus | undefined {
  const value = trailer.readUInt32LE(nonceBytes + 4);
  const count = trailer.readUInt32LE(nonceBytes + 8);
  const oomKills = count === unknownCount ? undefined : count;
  switch (trailer.readUInt32LE(nonceBytes)) {
    case 0:
      return { kind: "exited", code: value, oomKills };
    case 1:
      return { kind: "signalled", signal: signalName(value) ?? `SIG${value}`, oomKills };
    case 2:
      return { kind: "not_started", code: value, oomKills };
    default:
      return undefined;
  }
}
