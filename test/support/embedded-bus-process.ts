/** A process that runs an embedded bus on a data folder (first argument), says in one line of JSON how it is reached, and waits to be killed. */
import { createEmbeddedServer } from "../../packages/broker/src/embedded/server.ts";
import { natsServerExecutable } from "./nats.ts";
import { silentLog } from "./silent-log.ts";

const server = createEmbeddedServer({ dataFolder: process.argv[2] ?? "", executable: natsServerExecutable, listen: { host: "127.0.0.1", port: 0 }, log: silentLog });
const { access } = await server.start();
process.stdout.write(`${JSON.stringify(access)}\n`);
setInterval(() => undefined, 60_000);
