import type { LongshoreError } from "@longshore/protocol";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** Answers an upgrade request with an error in place of a socket. */
export function refuseUpgrade(socket: Duplex, error: LongshoreError): void {
  const status = error.httpStatus;
  const title = STATUS_CODES[status] ?? "Error";
  const body = JSON.stringify({ type: "about:blank", title, status, detail: error.message, ...error.toShape() });
  const head = [`HTTP/1.1 ${status} ${title}`, "Connection: close", "Content-Type: application/problem+json", `Content-Length: ${Buffer.byteLength(body)}`];
  socket.on("error", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
