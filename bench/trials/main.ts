/** `npm run trials -- [NAME…]`: what accepted work comes to when its agent, its caller or its brokers die, in full size; counts, and whether they are as they should be. */
import { agentDeath } from "./agent-death.ts";
import { map } from "./map.ts";
import { schedule } from "./schedule.ts";
import type { TrialResult } from "./trial.ts";

const trials: Record<string, () => Promise<TrialResult>> = { "agent-death": agentDeath, map, schedule };

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(trials);
const unknown = names.find((name) => !Object.hasOwn(trials, name));
if (unknown !== undefined) {
  process.stderr.write(`trials: Cannot run ${JSON.stringify(unknown)}: there are ${Object.keys(trials).join(", ")}\n`);
  process.exit(2);
}
for (const name of names) {
  const { figures, isRight } = (await trials[name]?.()) as TrialResult;
  process.stdout.write(`${name}\n`);
  for (const [label, figure] of Object.entries(figures)) process.stdout.write(`  ${label}: ${figure}\n`);
  process.stdout.write(`  as it should be: ${isRight ? "yes" : "NO"}\n`);
  if (!isRight) process.exitCode = 1;
}
