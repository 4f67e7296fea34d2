import { SetupFailure } from "./failure.mjs";
import { lockSetup } from "./lock.mjs";
import { describeMachine } from "./machine.mjs";
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
    const beyondUs = missing.filter((need) => !need.canProvide() && need.isOptional !== true);
    if (beyondUs.length > 0) throw new SetupFailure(tellMissing(beyondUs));
    for (const need of missing.filter((candidate) => candidate.canProvide())) await provide(need);
    return missing.every((need) => need.isOptional === true && !need.canProvide());
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

/** One paragraph: what is missing, why set-up leaves it to a person, how to get it. @param {readonly Need[]} needs */
function tellMissing(needs) {
  const list = needs.map((need) => `${need.name} (${need.byHand})`).join("; ");
  return `Missing on this machine: ${list}. Set-up installs these by itself only on Debian as root, and this is ${describeMachine()}.`;
}

/** Prints what failed, the tail of what the tool said, and what a person can do. @param {SetupFailure} failure */
export function explain(failure) {
  const parts = [failure.message, failure.output.replaceAll(/^/gm, "  | ").trimEnd(), failure.advice];
  note(parts.filter((part) => part.trim() !== "" && part.trim() !== "|").join("\n"));
}
