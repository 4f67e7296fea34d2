/** The libraries that a broker or an agent loads, and nothing done with them. */
import "@nats-io/jetstream";
import "@nats-io/kv";
import "@nats-io/transport-node";
import "dockerode";
import "pino";
import "ws";
import "zod";

process.stdout.write("ready\n");
setInterval(() => undefined, 60_000);
