import { createInbox } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

/**
 * The bare relay's near side: a socket or an HTTP request in, a NATS request out. Environment: RELAY_NATS, RELAY_SUBJECT. Each socket
 * message is a four-byte number, given back with the answer, and the body.
 */
const connection = await connect({ servers: process.env["RELAY_NATS"] ?? "" });
const subject = process.env["RELAY_SUBJECT"] ?? "";

const server = createServer((incoming, outgoing) => {
  const parts: Buffer[] = [];
  incoming.on("data", (part: Buffer) => parts.push(part));
  incoming.on("end", () => {
    void connection.request(subject, Buffer.concat(parts), { timeout: 30_000 }).then((answer) => outgoing.end(answer.data));
  });
});
new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
  socket.on("message", (message: Buffer, isBinary) => {
    if (!isBinary) return stream(message.toString(), (part) => socket.send(part));
    void connection.request(subject, message.subarray(4), { timeout: 30_000 }).then((answer) => {
      socket.send(Buffer.concat([message.subarray(0, 4), answer.data]));
    });
  });
});
/** A socket's text message asks for a long answer: each part is passed on as it comes, an empty one at the end. */
function stream(path: string, send: (part: Uint8Array) => void): void {
  const inbox = createInbox();
  const parts = connection.subscribe(inbox, {
    callback(error, message) {
      if (error !== null) return;
      send(message.data);
      if (message.data.length === 0) parts.unsubscribe();
    },
  });
  connection.publish(`${subject}.stream`, path, { reply: inbox });
}

server.listen(0, "127.0.0.1", () => process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`));
