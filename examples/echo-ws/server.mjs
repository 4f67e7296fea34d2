import { createHash } from "node:crypto";
import { createServer } from "node:http";

// The smallest WebSocket server that keeps to RFC 6455, so that the image needs nothing but Node.
const opcodes = { close: 0x8, ping: 0x9, pong: 0xa };
const maximumFrameBytes = 16 * 2 ** 20;
const sockets = new Set();

const server = createServer((_request, response) => response.writeHead(426, { upgrade: "websocket" }).end("This speaks WebSocket\n"));

server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
  let pending = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (let frame = readFrame(pending); frame !== undefined; frame = readFrame(pending)) {
      pending = pending.subarray(frame.size);
      answer(socket, frame);
    }
  });
});

/** Echoes a frame as it came, fragments of a message included; answers a ping, and a close with a close. */
function answer(socket, { first, payload, isTooLarge }) {
  const opcode = first & 0xf;
  if (isTooLarge) socket.end(writeFrame(0x80 | opcodes.close, Buffer.from([0x03, 0xf1]))); // 1009, message too big
  else if (opcode === opcodes.close) socket.end(writeFrame(first, payload));
  else if (opcode === opcodes.ping) socket.write(writeFrame(0x80 | opcodes.pong, payload));
  else if (opcode !== opcodes.pong) socket.write(writeFrame(first, payload));
}

/** The first whole frame of the bytes, its payload unmasked (section 5.2); undefined until it is whole. */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const extended = short === 127 ? 8 : short === 126 ? 2 : 0;
  const start = 2 + extended + 4;
  if (bytes.length < start) return undefined;
  const length = extended === 8 ? Number(bytes.readBigUInt64BE(2)) : extended === 2 ? bytes.readUInt16BE(2) : short;
  if (length > maximumFrameBytes) return { first: bytes[0], isTooLarge: true, size: bytes.length };
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start, start + length)).map((byte, index) => byte ^ mask[index & 3]);
  return { first: bytes[0], payload, size: start + length };
}

function writeFrame(first, payload) {
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload]);
  const header = Buffer.alloc(payload.length < 65_536 ? 4 : 10);
  header[0] = first;
  header[1] = payload.length < 65_536 ? 126 : 127;
  if (payload.length < 65_536) header.writeUInt16BE(payload.length, 2);
  else header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, payload]);
}

server.listen(process.env.PORT ?? 8080);
process.on("SIGTERM", () => {
  server.close();
  for (const socket of sockets) socket.end(writeFrame(0x80 | opcodes.close, Buffer.from([0x03, 0xe9]))); // 1001, going away
});
