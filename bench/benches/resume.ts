import { setTimeout } from "node:timers/promises";
import { untilFrozen } from "../../test/support/frozen.ts";
import { lambdaFunction } from "../../test/support/lambda-functions.ts";
import { interleave, median, timeMs } from "../measure.ts";
import { type BenchResult, compare, format } from "../result.ts";
import type { Rig } from "../rig.ts";

const rounds = 15;
const mostMs = 10;
/** What a pause sets off is over by then; shorter than an instance rests before it is paused. */
const quietMs = 300;

/** `resume`: the answer of a paused instance against that of a warm one; what counts is how much longer it takes. */
export async function resume(rig: Rig): Promise<BenchResult> {
  const name = `bench-resume-${process.pid}`;
  const revisionId = await rig.deployReady(await lambdaFunction(name, "act"), "main", 1);
  const call = () => timeMs(async () => (await rig.fleet.call(name, "{}")).bytes());
  await call();
  const figures = await interleave(rounds, {
    async paused() {
      await untilFrozen(revisionId);
      await setTimeout(quietMs);
      return call();
    },
    async warm() {
      await call(); // Whatever the one before left it in, it is awake then.
      await setTimeout(quietMs); // As long idle as the other, since that alone makes a call slower.
      return call();
    },
  });
  await rig.fleet.remove(name);
  const moreMs = median(figures.paused) - median(figures.warm);
  return { ...compare("resume", "ms", figures.paused, { warm: figures.warm }, { bound: 1, better: "lower" }, { more: `${format(moreMs)} ms` }), goal: `≤ ${mostMs} ms more`, met: moreMs <= mostMs };
}
