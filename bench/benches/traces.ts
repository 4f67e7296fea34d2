import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFleet } from "@longshore/sdk";
import { startProcesses } from "../../test/support/processes.ts";
import { nodeImage } from "../images.ts";
import { processorSeconds } from "../process-usage.ts";
import { type BenchResult, compare, format } from "../result.ts";

const body = new Uint8Array(128).fill(97);
const rounds = 12;
const callsPerRound = 200;

/** `traces`: a warm call at a broker that exports every trace, against one that has traces off, in turns, with the same agent and instance. */
export async function traces(): Promise<BenchResult> {
  const collector = createServer((request, response) => void request.resume().on("end", () => response.end()));
  await once(collector.listen(0, "127.0.0.1"), "listening");
  const tracesUrl = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  await using processes = await startProcesses({ brokers: 2, brokerEnvironments: [{}, { LONGSHORE_BROKER_TRACES_URL: tracesUrl }], agents: [{ siteId: "main" }] });
  try {
    const [off, on] = await Promise.all(processes.brokers.map(async ({ url, pid }) => ({ fleet: createFleet({ url }), pid, latencies: [] as number[], seconds: 0 })));
    if (off === undefined || on === undefined) throw new Error("Two brokers were asked for");
    await off.fleet.deploy({ name: "bench-traces", image: await nodeImage(), contract: "http", port: 8080, concurrency: 128 });
    const sides = [off, on];
    for (const { fleet } of sides) for (let index = 0; index < callsPerRound; index += 1) await (await fleet.call("bench-traces", body)).bytes();
    for (let round = 0; round < rounds; round += 1) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const before = processorSeconds([side.pid]);
        for (let index = 0; index < callsPerRound; index += 1) {
          const start = performance.now();
          await (await side.fleet.call("bench-traces", body)).bytes();
          side.latencies.push(performance.now() - start);
        }
        side.seconds += processorSeconds([side.pid]) - before;
      }
    }
    await Promise.all(sides.map(({ fleet }) => fleet.close()));
    return compare("traces", "ms", on.latencies, { off: off.latencies }, { bound: 1.15, better: "lower" }, { "broker's processor ratio": format(on.seconds / off.seconds) });
  } finally {
    collector.closeAllConnections();
    collector.close();
  }
}
