import { setInterval } from "node:timers/promises";
import { addressOf } from "../docker-run.ts";
import { streamImage } from "../images.ts";
import { interleave, timeMs } from "../measure.ts";
import { residentBytes } from "../process-usage.ts";
import { startRelay } from "../relay/relay.ts";
import { type BenchResult, compare, format } from "../result.ts";
import type { Rig } from "../rig.ts";
import { runningInstance } from "../running-instance.ts";

const rounds = 5;
const mebibytes = 256;
const byteLength = mebibytes * 2 ** 20;
const mostGrowth = 64;

/** `stream`: an answer of 256 MiB from a container to the SDK, against the bare relay; and what broker and agent grow by. */
export async function stream(rig: Rig): Promise<BenchResult> {
  const name = `bench-stream-${process.pid}`;
  const revisionId = await rig.deployReady({ name, image: await streamImage(), contract: "http", port: 8080 }, "main", 1);
  const read = async (size: number) => {
    const answer = await rig.fleet.call(name, undefined, { method: "GET", path: `/${size}` });
    let received = 0;
    for await (const part of answer.body) received += part.length;
    if (received !== size * 2 ** 20) throw new Error(`Expected ${size} MiB, got ${received} bytes`);
  };
  await read(1);
  const relay = await startRelay(`http://${await addressOf(await runningInstance(revisionId))}:8080/`);
  const grown = { broker: 0, agent: 0 };
  const rate = (elapsedMs: number) => byteLength / 1e6 / (elapsedMs / 1000);
  try {
    const figures = await interleave(rounds, {
      ours: async () => rate(await timeMs(() => watchGrowth(rig.processIds, grown, () => read(mebibytes)))),
      relay: async () =>
        rate(
          await timeMs(async () => {
            if ((await relay.stream(`/${mebibytes}`)) !== byteLength) throw new Error("The relay lost bytes");
          }),
        ),
    });
    const result = compare("stream", "MB/s", figures.ours, { relay: figures.relay }, { bound: 0.7, better: "higher" }, { growth: `broker ${format(grown.broker)}, agent ${format(grown.agent)} MiB` });
    return { ...result, goal: `≥ 0.7; < ${mostGrowth} MiB more`, met: result.met && Math.max(grown.broker, grown.agent) < mostGrowth };
  } finally {
    await relay.close();
    await rig.fleet.remove(name);
  }
}

/** The most by which processes grew while something was done, MiB; kept where it is more than before. */
async function watchGrowth(ids: Rig["processIds"], grown: Record<"broker" | "agent", number>, act: () => Promise<void>): Promise<void> {
  const names = ["broker", "agent"] as const;
  const before = { broker: residentBytes(ids.broker), agent: residentBytes(ids.agent) };
  const over = new AbortController();
  const watching = (async () => {
    for await (const _ of setInterval(20, undefined, { signal: over.signal })) {
      for (const name of names) grown[name] = Math.max(grown[name], (residentBytes(ids[name]) - before[name]) / 2 ** 20);
    }
  })().catch(() => undefined); // Ended by its signal.
  try {
    await act();
  } finally {
    over.abort();
    await watching;
  }
}
