/** `node forward-port.ts PORT FILE` leads from a port of this network namespace's loopback to a socket file. */
import { connect, createServer, type NetConnectOpts, type Server } from "node:net";

/** A server that leads each connection to where `target` says; not listening. */
export function createForwarder(target: NetConnectOpts): Server {
  return createServer((near) => {
    const far = connect(target);
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy()).on("close", () => far.destroy());
    far.on("error", () => near.destroy()).on("close", () => near.destroy());
  });
}

if (import.meta.main) {
  const [port, path = ""] = process.argv.slice(2);
  createForwarder({ path }).listen(Number(port), "127.0.0.1");
}
