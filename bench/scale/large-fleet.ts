/** `npm run large-fleet`: half of 1,000 agents lose power while calls flow, and 500 agents' connections break and come back at once; counts, and whether they are as they should be. */
import { join } from "node:path";
import { createFleet } from "@longshore/sdk";
import { killHalf, LargeFleet, reconnect, untilAgents } from "../../test/support/simulated/large-fleet.ts";
import { format } from "../result.ts";
import { startScaleBroker } from "./scale-broker.ts";

const [count, apart, underWay] = [1_500, 500, 100];
const write = (name: string, value: unknown) => process.stdout.write(`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}\n`);

await using large = await LargeFleet.start(count, apart, 5_000);
await using broker = await startScaleBroker(join(large.testBus.dataFolder, "nats"));
await using fleet = createFleet({ url: broker.url });
await untilAgents(fleet, count, "ready");

await broker.watchEventLoop();
const back = await reconnect(large, broker.url);
write("agents whose connections broke and came back", String(back.agents));
write("  one call to each as it broke", back.onThem);
write("  one call to each once it was back", back.afterwards);
write("  calls on others meanwhile", back.onOthers);
write("  until all were back", `${format(back.tookMs)} ms`);
write("  the broker's event loop was held at most", `${format(await broker.longestHoldMs())} ms`);

await broker.watchEventLoop();
const half = await killHalf(large, broker.url, underWay);
write("agents that lost power", String(half.killed));
write("  calls under way on them", half.onKilled);
write("  calls under way on others", half.onOthers);
write("  calls to any agent meanwhile", half.flowing);
write("  runs sent to them within 15 s, and after", `${half.sentEarly}, ${half.sentLate}`);
write("  calls once all were known to be lost, and those sent to one of them", `${JSON.stringify(half.afterwards)}, ${half.afterwardsSent}`);
write("  the broker's event loop was held at most", `${format(await broker.longestHoldMs())} ms`);

const isOnly = (endings: Readonly<Record<string, number>>, ...allowed: readonly string[]) => Object.keys(endings).every((ending) => allowed.includes(ending));
const isRight = isOnly(back.afterwards, "succeeded") && isOnly(back.onOthers, "succeeded") && isOnly(half.onKilled, "lost") && isOnly(half.onOthers, "succeeded") && isOnly(half.flowing, "succeeded", "lost") && isOnly(half.afterwards, "succeeded") && half.sentLate === 0 && half.afterwardsSent === 0;
write("as it should be", isRight ? "yes" : "NO");
process.exitCode = isRight ? 0 : 1;
