import type { LogLine } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { LogRing } from "./log-ring.ts";

/** Bounds on what an agent keeps of all its instances' output. */
export interface LogLimits {
  /** Of all functions together; the function that wrote longest ago gives up lines first. */
  readonly maxBytes: number;
  /** Of one function, so that one that floods takes little from the others. */
  readonly maxBytesPerFunction: number;
  readonly maxFunctions: number;
  /** A function's lines are forgotten when it has written nothing for that long. */
  readonly retentionMs: number;
}

/** Whoever wants to know of lines as they come. */
export interface RingFollower {
  /** Asked once for each function. */
  follows(tenantId: string, functionName: string): boolean;
  /** That function writes its first line. */
  ringAdded(ring: LogRing): void;
  /** A line came to a ring that it follows, or the ring was retired. */
  written(ring: LogRing): void;
}

interface Shelved {
  readonly tenantId: string;
  readonly functionName: string;
  readonly ring: LogRing;
  readonly followers: Set<RingFollower>;
  writtenMs: number;
}

/** The lines of all functions, the one that wrote last at the end. */
export class LogShelf {
  readonly #limits: LogLimits;
  readonly #clock: Clock;
  readonly #shelved = new Map<string, Shelved>();
  readonly #followers = new Set<RingFollower>();
  #bytes = 0;
  #cancelSweep: (() => void) | undefined;

  constructor(limits: LogLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(tenantId: string, functionName: string, line: LogLine): void {
    const shelved = this.#of(tenantId, functionName);
    const before = shelved.ring.bytes;
    shelved.ring.append(line);
    this.#bytes += shelved.ring.bytes - before;
    this.#trim();
    for (const follower of shelved.followers) follower.written(shelved.ring);
  }

  /** The rings that a follower follows, as they are now. */
  choose({ follows }: Pick<RingFollower, "follows">): LogRing[] {
    this.#sweep();
    return [...this.#shelved.values()].filter(({ tenantId, functionName }) => follows(tenantId, functionName)).map(({ ring }) => ring);
  }

  /** Tells of lines from now on, until what it returns is called. */
  follow(follower: RingFollower): () => void {
    this.#followers.add(follower);
    for (const { tenantId, functionName, followers } of this.#shelved.values()) if (follower.follows(tenantId, functionName)) followers.add(follower);
    return () => {
      this.#followers.delete(follower);
      for (const { followers } of this.#shelved.values()) followers.delete(follower);
    };
  }

  get followerCount(): number {
    return this.#followers.size;
  }

  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  #of(tenantId: string, functionName: string): Shelved {
    const key = `${tenantId}/${functionName}`;
    const known = this.#shelved.get(key);
    const shelved = known ?? this.#add(tenantId, functionName);
    shelved.writtenMs = this.#clock.monotonicMs();
    this.#shelved.delete(key);
    this.#shelved.set(key, shelved);
    if (this.#shelved.size > this.#limits.maxFunctions) this.#forgetFirst();
    this.#cancelSweep ??= this.#sweepLater();
    return shelved;
  }

  #add(tenantId: string, functionName: string): Shelved {
    const ring = new LogRing(Math.min(this.#limits.maxBytesPerFunction, this.#limits.maxBytes));
    const followers = new Set([...this.#followers].filter((follower) => follower.follows(tenantId, functionName)));
    for (const follower of followers) follower.ringAdded(ring);
    return { tenantId, functionName, ring, followers, writtenMs: 0 };
  }

  #trim(): void {
    for (const { ring } of this.#shelved.values()) {
      while (this.#bytes > this.#limits.maxBytes) {
        const before = ring.bytes;
        if (!ring.cutFirst()) break;
        this.#bytes += ring.bytes - before;
      }
      if (this.#bytes <= this.#limits.maxBytes) return;
    }
  }

  #sweep(): void {
    for (const { writtenMs } of this.#shelved.values()) {
      if (this.#clock.monotonicMs() - writtenMs < this.#limits.retentionMs) return;
      this.#forgetFirst();
    }
  }

  #sweepLater(): () => void {
    return this.#clock.after(Math.max(1_000, this.#limits.retentionMs / 4), () => {
      this.#sweep();
      this.#cancelSweep = this.#shelved.size > 0 ? this.#sweepLater() : undefined;
    });
  }

  #forgetFirst(): void {
    for (const [key, { ring, followers }] of this.#shelved) {
      this.#bytes -= ring.bytes;
      ring.retire();
      this.#shelved.delete(key);
      for (const follower of followers) follower.written(ring);
      return;
    }
  }
}
