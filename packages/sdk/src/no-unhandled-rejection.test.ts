import { describe, expect, it } from "vitest";
import { settled, startBrokerScene } from "./testing/broker-scene.ts";

type Scene = ReturnType<typeof startBrokerScene>;

/** Rejections that nobody handled while it ran. */
async function unhandledBy(run: () => unknown): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", (reason) => unhandled.push(reason));
  try {
    await run();
    await settled();
    await settled();
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const other of others) process.on("unhandledRejection", other);
  }
  return unhandled;
}

const refusal = { code: "not_found", reason: "function_not_found", message: "no" } as const;
/** A stream of which everything fails. */
const wretched = () => new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("pull")), cancel: () => Promise.reject(new Error("cancel")) });

const endings: [what: string, run: (scene: Scene) => Promise<unknown>][] = [
  ["a call that is refused", async ({ fleet, broker }) => {
    const call = fleet.call("f", wretched());
    (await broker.nextExchange()).fail(refusal);
    await Promise.allSettled([call]);
  }],
  ["a streamed answer whose result nobody asks for", async ({ fleet, broker }) => {
    const call = fleet.call("f");
    const exchange = await broker.nextExchange();
    exchange.begin();
    await call;
    exchange.socket.break();
  }],
  ["an abort under a streamed answer", async ({ fleet, broker }) => {
    const leaving = new AbortController();
    const call = fleet.call("f", wretched(), { signal: leaving.signal });
    const exchange = await broker.nextExchange();
    exchange.begin();
    leaving.abort();
    await Promise.allSettled([call]);
    exchange.socket.break();
  }],
  ["an abort before a socket is open", async ({ fleet, broker }) => {
    broker.greet = () => undefined;
    const leaving = new AbortController();
    const call = fleet.call("f", wretched(), { signal: leaving.signal });
    const socket = await broker.nextSocket();
    leaving.abort();
    await Promise.allSettled([call]);
    socket.break();
  }],
  ["an invoke whose connection breaks", async ({ fleet, broker }) => {
    const call = fleet.invoke("f", wretched());
    const exchange = await broker.nextExchange();
    exchange.begin();
    exchange.data("half");
    exchange.socket.break();
    await Promise.allSettled([call]);
  }],
  ["a watch whose reader left", async ({ fleet, broker }) => {
    const watch = fleet.watch();
    const first = watch.next();
    (await broker.nextExchange()).data('{"event":"caught_up"}\n');
    await first;
    await watch.return();
    broker.sockets[0]!.break();
  }],
  ["a client that is closed under everything", async ({ fleet, broker }) => {
    const calls = [fleet.call("f", wretched()), fleet.invoke("f"), fleet.watch().next()];
    await (await broker.nextSocket()).nextExchange();
    await fleet.close();
    await Promise.allSettled(calls);
  }],
];

describe("no rejection is left unhandled by", () => {
  it.each(endings)("%s", async (_what, run) => {
    await using scene = startBrokerScene();
    expect(await unhandledBy(() => run(scene))).toEqual([]);
  });

  it("(one would be seen)", async () => {
    expect(await unhandledBy(() => [Promise.reject(new Error("planted"))])).toMatchObject([{ message: "planted" }]);
  });
});
