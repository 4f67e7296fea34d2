import { LongshoreError } from "@longshore/protocol";
import { type Clock, pause } from "../../clock.ts";
import { InstanceSocket } from "./instance-socket.ts";
import { type ListeningSocket, readListeningSockets } from "./listening-sockets.ts";

/** Where a program is awaited: its address, its port, and its process where the host sees it. */
export interface AwaitedPort {
  readonly ip: string;
  readonly port: number;
  readonly pid: number;
}

const firstDelayMs = 1;
const longestDelayMs = 25;
/** The wait between two looks is that part of what has been waited so far: a late start is noticed late by a twentieth at most. */
const delayShare = 0.05;
/** A program that listens on loopback for that long will not listen elsewhere. */
const loopbackPatienceMs = 1_000;
const lookEveryMs = 200;

/** Waits until the port takes a connection, and hands that over. Rejects when the program listens on loopback only, or on abort. */
export async function awaitPort(awaited: AwaitedPort, clock: Clock, signal: AbortSignal): Promise<InstanceSocket> {
  const begunMs = clock.monotonicMs();
  const loopback = new LoopbackWatch(awaited, clock);
  while (!signal.aborted) {
    const socket = await tryConnect(awaited, signal);
    if (socket !== undefined) return socket;
    await loopback.look();
    const waitedMs = clock.monotonicMs() - begunMs;
    await pause(clock, Math.min(Math.max(waitedMs * delayShare, firstDelayMs), longestDelayMs), signal);
  }
  throw new LongshoreError("instance_start_failed", `Cannot start instance: ${await describeListening(awaited)}`, { phase: "startup" });
}

/** What was seen of a port that never took a connection. */
async function describeListening(awaited: AwaitedPort): Promise<string> {
  const others = ((await readListeningSockets(awaited.pid)) ?? []).filter((socket) => socket.port !== awaited.port && !socket.isLoopback).map((socket) => socket.port);
  const hint = others.length === 0 ? "" : `; it listens on port ${[...new Set(others)].join(", ")}`;
  return `its program does not listen on port ${awaited.port}${hint}`;
}

function tryConnect({ ip, port }: AwaitedPort, signal: AbortSignal): Promise<InstanceSocket | undefined> {
  return new Promise((resolve) => {
    const socket = InstanceSocket.open(ip, port);
    const onAbort = () => socket.destroy();
    const onConnect = () => settle(socket);
    const onClose = () => settle(undefined);
    const settle = (result: InstanceSocket | undefined) => {
      signal.removeEventListener("abort", onAbort);
      socket.off("connect", onConnect).off("close", onClose);
      resolve(result);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", () => undefined).on("connect", onConnect).on("close", onClose);
  });
}

/** Notices a program that listens on the awaited port, but on loopback only, where nobody outside its container can reach it. */
class LoopbackWatch {
  readonly #awaited: AwaitedPort;
  readonly #clock: Clock;
  #nextLookMs: number;
  #seenSinceMs: number | undefined;

  constructor(awaited: AwaitedPort, clock: Clock) {
    this.#awaited = awaited;
    this.#clock = clock;
    this.#nextLookMs = clock.monotonicMs() + lookEveryMs;
  }

  async look(): Promise<void> {
    const now = this.#clock.monotonicMs();
    if (now < this.#nextLookMs) return;
    this.#nextLookMs = now + lookEveryMs;
    const sockets = await readListeningSockets(this.#awaited.pid);
    if (!isLoopbackOnly(sockets ?? [], this.#awaited.port)) {
      this.#seenSinceMs = undefined;
      return;
    }
    this.#seenSinceMs ??= now;
    if (now - this.#seenSinceMs < loopbackPatienceMs) return;
    const message = `Cannot start instance: its program listens on port ${this.#awaited.port} on loopback only, and must listen on 0.0.0.0`;
    throw new LongshoreError("instance_start_failed", message, { phase: "startup" });
  }
}

function isLoopbackOnly(sockets: readonly ListeningSocket[], port: number): boolean {
  const onPort = sockets.filter((socket) => socket.port === port);
  return onPort.length > 0 && onPort.every((socket) => socket.isLoopback);
}
