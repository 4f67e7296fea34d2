/** Leads from a port of this network namespace's loopback to a socket file: `node forward-port.mjs PORT FILE`. */
import { connect, createServer } from "node:net";

const [port, file = ""] = process.argv.slice(2);

createServer((near) => {
  const far = connect(file);
  near.pipe(far).pipe(near);
  near.on("error", () => far.destroy()).on("close", () => far.destroy());
  far.on("error", () => near.destroy()).on("close", () => near.destroy());
}).listen(Number(port), "127.0.0.1");
