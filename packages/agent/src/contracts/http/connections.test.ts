import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { Connections } from "./connections.ts";
import { InstanceSocket } from "./instance-socket.ts";
import { type ScriptedServer, startScriptedServer } from "./testing/scripted-server.ts";

describe("Connections", () => {
  let server: ScriptedServer;
  let connections: Connections;
  beforeEach(async () => {
    server = await startScriptedServer();
    connections = new Connections("127.0.0.1", server.port, new ManualClock());
  });
  afterEach(async () => {
    connections.close();
    await server.close();
  });

  const connect = async () => {
    const socket = InstanceSocket.open("127.0.0.1", server.port);
    await once(socket, "connect");
    return socket;
  };

  it("gives a connection away once", async () => {
    connections.adopt(await connect());
    const [one, other] = [connections.take(), connections.take()];
    expect(one).not.toBe(other);
    connections.keep(one, undefined);
    expect(connections.take()).toBe(one);
  });

  it("does not give one away that has just been closed, though nobody has heard of it yet", async () => {
    const socket = await connect();
    connections.adopt(socket);
    socket.destroy();
    const taken = connections.take();
    expect(taken.isClosed).toBe(false);
  });

  it("does not keep one whose server keeps none for longer than a moment", async () => {
    const connection = connections.take();
    connections.keep(connection, 1_000);
    expect(connections.take()).not.toBe(connection);
    expect(connection.isClosed).toBe(true);
  });

  it("closes all, those in use among them", async () => {
    connections.adopt(await connect());
    const inUse = connections.take();
    connections.adopt(await connect());
    const sides = [await server.next(), await server.next()];
    connections.close();
    await Promise.all(sides.map((side) => side.closed()));
    expect(inUse.isClosed).toBe(true);
  });
});
