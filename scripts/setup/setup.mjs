import { SetupFailure } from "./failure.mjs";
import { lockSetup } from "./lock.mjs";
import { createStep, note, seconds } from "./progress.mjs";

/** @typedef {import("./need.mjs").Need} Need */

/**
 * Brings what is missing of the needs, in their order, and leaves alone what is there. Ends the process with exit code 1, and says what
 * a person can do, when something cannot be had.
 * @param {readonly Need[]} needs
 * @param {{ isQuiet?: boolean }} [options] quiet says nothing when there is nothing to do
 */
export async function setUp(needs, options = {}) {
  const startedAt = performance.now();
  try {
    const isComplete = await provideMissing(needs);
    if (!isComplete) note(`Set-up took ${seconds(startedAt)}`);
    else if (options.isQuiet !== true) note(`Set-up: everything is there (${seconds(startedAt)})`);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    explain(error);
    process.exit(1);
  }
}

/** @param {readonly Need[]} needs @returns {Promise<boolean>} true when there was nothing to do */
async function provideMissing(needs) {
  if ((await findMissing(needs)).length === 0) return true;
  const unlock = await lockSetup(() => note("Another set-up is at work: waiting for it"));
  try {
    // Looked at again, since the set-up before us may have brought it.
    const missing = await findMissing(needs);
    const judged = await Promise.all(missing.map(async (need) => ({ need, obstacle: await need.obstacle() })));
    const beyondUs = judged.filter(({ need, obstacle }) => obstacle !== undefined && need.isOptional !== true);
    if (beyondUs.length > 0) throw new SetupFailure(tellMissing(beyondUs));
    const feasible = judged.filter(({ obstacle }) => obstacle === undefined);
    for (const { need } of feasible) await provide(need);
    return feasible.length === 0;
  } finally {
    unlock();
  }
}

/** @param {readonly Need[]} needs @returns {Promise<Need[]>} */
async function findMissing(needs) {
  const found = await Promise.all(needs.map((need) => need.find()));
  return needs.filter((_, index) => found[index] === undefined);
}

/** @param {Need} need */
async function provide(need) {
  const step = createStep(need.name);
  try {
    step.done(await need.provide(step.say));
  } catch (error) {
    step.failed();
    throw error;
  }
}

/** One paragraph: what is missing, why set-up leaves it to a person, how to get it. @param {readonly { need: Need, obstacle?: string | undefined }[]} beyondUs */
function tellMissing(beyondUs) {
  const parts = beyondUs.map(({ need, obstacle }) => `${need.name}: ${obstacle}. To go on, ${need.byHand}.`);
  return `This machine lacks something that set-up cannot bring. ${parts.join(" ")}`;
}

/** Prints what failed, the tail of what the tool said, and what a person can do. @param {SetupFailure} failure */
export function explain(failure) {
  const parts = [failure.message, failure.output.replaceAll(/^/gm, "  | ").trimEnd(), failure.advice];
  note(parts.filter((part) => part.trim() !== "" && part.trim() !== "|").join("\n"));
}
