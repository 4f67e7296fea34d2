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
  socket.on("message", (message: Buffer) => {
    void connection.request(subject, message.subarray(4), { timeout: 30_000 }).then((answer) => {
      socket.send(Buffer.concat([message.subarray(0, 4), answer.data]));
    });
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`));
