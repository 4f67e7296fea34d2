import { dockerRunCommand } from "../docker-run.ts";
import { commandImage } from "../images.ts";
import { interleave, timeMs } from "../measure.ts";
import { type BenchResult, compare } from "../result.ts";
import type { Rig } from "../rig.ts";

const rounds = 9;
const input = "one two three four\n";

/** `stdio`: one invocation of a command-line image, one held, against `docker run -i --rm` of the same image. */
export async function stdio(rig: Rig): Promise<BenchResult> {
  const image = await commandImage();
  const name = `bench-stdio-${process.pid}`;
  const revisionId = await rig.deployReady({ name, image, contract: "stdio" }, "main", 1);
  const figures = await interleave(rounds, {
    async ours() {
      for (;;) {
        await rig.waitHeld(revisionId, "main", 1);
        let start: string | undefined;
        const elapsed = await timeMs(async () => {
          const answer = await rig.fleet.call(name, input);
          if ((await answer.text()).trim() !== "4") throw new Error("Expected 4 words");
          await answer.result;
          start = answer.start;
        });
        if (start === "held") return elapsed; // What the fleet tells may be a moment old: then it was a start from nothing.
      }
    },
    run: () => dockerRunCommand(image, input),
  });
  await rig.fleet.remove(name);
  return compare("stdio", "ms", figures.ours, { "docker run": figures.run }, { bound: 0.04, better: "lower" });
}
