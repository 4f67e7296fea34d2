import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createAttachment } from "./attachment.ts";
import { captureOutput } from "./testing/captured-output.ts";

/** A connection whose other end the test plays. */
function createConnection() {
  const written: string[] = [];
  let takeInput: (() => void) | undefined;
  let isInputEnded = false;
  const socket = new Duplex({
    allowHalfOpen: true,
    writableHighWaterMark: 10,
    read() {},
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      takeInput = done;
    },
    final(done) {
      isInputEnded = true;
      done();
    },
  });
  return {
    socket,
    written,
    takeInput: () => takeInput?.(),
    get isInputEnded() {
      return isInputEnded;
    },
    output(text: string) {
      const header = Buffer.alloc(8);
      header.writeUInt8(1, 0);
      header.writeUInt32BE(text.length, 4);
      socket.push(Buffer.concat([header, Buffer.from(text)]));
    },
  };
}

describe("createAttachment()", () => {
  it("delivers what came before anyone listened, then the end", async () => {
    const connection = createConnection();
    const attachment = createAttachment(connection.socket);
    connection.output("early");
    connection.socket.push(null);
    await turn();
    const output = captureOutput(attachment);
    expect(await output.ended).toBeUndefined();
    expect(output.stdout.toString()).toBe("early");
    expect(connection.socket.destroyed).toBe(true);
  });

  it("tells a stream that broke off inside a frame from one that ended", async () => {
    const connection = createConnection();
    const output = captureOutput(createAttachment(connection.socket));
    connection.socket.push(Buffer.from([1, 0, 0, 0, 0, 0, 0, 9, 65]));
    connection.socket.push(null);
    expect(await output.ended).toMatchObject({ message: expect.stringContaining("broke off") });
  });

  it("ends with the connection's error", async () => {
    const connection = createConnection();
    const output = captureOutput(createAttachment(connection.socket));
    const error = new Error("reset");
    connection.socket.destroy(error);
    expect(await output.ended).toBe(error);
  });

  it("reads nothing while paused", async () => {
    const connection = createConnection();
    const attachment = createAttachment(connection.socket);
    const output = captureOutput(attachment);
    attachment.pause();
    connection.output("held");
    await turn();
    expect(output.stdout.length).toBe(0);
    attachment.resume();
    await output.said("held");
  });

  it("says no to more input until there is room", async () => {
    const connection = createConnection();
    const attachment = createAttachment(connection.socket);
    const output = captureOutput(attachment);
    expect(attachment.write(Buffer.from("x".repeat(20)))).toBe(false);
    const drained = output.drained();
    connection.takeInput();
    await drained;
    expect(attachment.write(Buffer.from("y"))).toBe(true);
  });

  it("ends input and goes on delivering output", async () => {
    const connection = createConnection();
    const attachment = createAttachment(connection.socket);
    const output = captureOutput(attachment);
    attachment.endInput();
    await turn();
    expect(connection.isInputEnded).toBe(true);
    connection.output("still here");
    await output.said("still here");
    expect(attachment.write(Buffer.from("too late"))).toBe(true);
    expect(connection.written).toEqual([]);
  });

  it("calls nobody once it is closed", async () => {
    const connection = createConnection();
    const attachment = createAttachment(connection.socket);
    const calls: string[] = [];
    attachment.listen({ onStdout: () => calls.push("stdout"), onStderr() {}, onEnd: () => calls.push("end") });
    attachment.close();
    attachment.close();
    await turn();
    expect([calls, connection.socket.destroyed]).toEqual([[], true]);
  });
});
