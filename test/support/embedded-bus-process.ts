/** A process that runs an embedded bus on a data folder (first argument), says so in one line of JSON, and waits to be killed. */
import { createEmbeddedServer } from "../../packages/broker/src/embedded/server.ts";
import { natsServerExecutable } from "./nats.ts";
import { silentLog } from "./silent-log.ts";

const server = createEmbeddedServer({ dataFolder: process.argv[2] ?? "", executable: natsServerExecutable, listen: { host: "127.0.0.1", port: 0 }, log: silentLog });
const { port } = await server.start();
process.stdout.write(`${JSON.stringify({ port })}\n`);
setInterval(() => undefined, 60_000);
