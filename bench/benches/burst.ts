import { availableParallelism } from "node:os";
import { dockerRunManyToLastAnswer, onReferenceNetwork } from "../docker-run.ts";
import { workingImage } from "../images.ts";
import { interleave, timeMs } from "../measure.ts";
import { type BenchResult, compare } from "../result.ts";
import type { Rig } from "../rig.ts";

const rounds = 2;
const calls = 20;

/** `burst`: 20 calls at once on a function at zero, one at a time per instance, 50 ms of work each, against 20 `docker run` at once. */
export async function burst(rig: Rig): Promise<BenchResult> {
  const image = await workingImage();
  let count = 0;
  const starts = new Map<string, number>();
  const figures = await onReferenceNetwork((network) =>
    interleave(rounds, {
      async ours() {
        count += 1;
        const name = `bench-burst-${process.pid}-${count}`;
        await rig.deployReady({ name, image, contract: "http", port: 8080, concurrency: 1, cpuMillis: availableParallelism() * 1000 }, "main", 1);
        const elapsed = await timeMs(() =>
          Promise.all(
            Array.from({ length: calls }, async () => {
              const answer = await rig.fleet.call(name, undefined, { method: "GET" });
              if ((await answer.text()) !== "done") throw new Error("Expected the work to be done");
              starts.set(answer.start ?? "none", (starts.get(answer.start ?? "none") ?? 0) + 1);
            }),
          ),
        );
        await rig.fleet.remove(name);
        return elapsed;
      },
      run: () => dockerRunManyToLastAnswer(image, network, calls),
    }),
  );
  const kinds = [...starts].map(([kind, times]) => `${times / rounds} ${kind}`).join(", ");
  return compare("burst", "ms", figures.ours, { "docker run": figures.run }, { bound: 0.4, better: "lower" }, { "starts a round": kinds });
}
