import { connect } from "@nats-io/transport-node";
import { Agent, get, request } from "node:http";

/**
 * The bare relay's far side: NATS request in, HTTP to the container, answer out. No checks, no accounting, no names: what three
 * hops cost when nothing is done on the way. Environment: RELAY_NATS, RELAY_SUBJECT, RELAY_TARGET (http://ip:port/).
 */
const connection = await connect({ servers: process.env["RELAY_NATS"] ?? "" });
const target = new URL(process.env["RELAY_TARGET"] ?? "");
const partsOnTheWay = 16;
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

connection.subscribe(process.env["RELAY_SUBJECT"] ?? "", {
  callback(error, message) {
    if (error !== null) return;
    const outgoing = request(target, { method: "POST", agent, headers: { "content-length": message.data.length } }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.on("end", () => message.respond(Buffer.concat(parts)));
    });
    outgoing.on("error", () => message.respond(new Uint8Array(0)));
    outgoing.end(message.data);
  },
});
/** Answers of any length: each part a message, an empty one at the end; the server is waited for now and then, or all would be kept here. */
connection.subscribe(`${process.env["RELAY_SUBJECT"] ?? ""}.stream`, {
  callback(error, message) {
    if (error !== null) return;
    get(new URL(message.string(), target), { agent }, (incoming) => {
      let parts = 0;
      incoming.on("data", (part: Buffer) => {
        message.respond(part);
        parts += 1;
        if (parts % partsOnTheWay !== 0) return;
        incoming.pause();
        void connection.flush().then(() => incoming.resume());
      });
      incoming.on("end", () => message.respond(new Uint8Array(0)));
    });
  },
});
await connection.flush();
process.stdout.write("ready\n");
