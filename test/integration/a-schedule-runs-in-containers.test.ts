import { createFleet } from "@longshore/sdk";
import { expect, it } from "vitest";
import { ensureImage } from "../support/images/ensure-image.ts";
import { startProcesses } from "../support/processes.ts";

/** Writes down which due time it was begun for; a run on demand has none. */
const clerk = `
import { createServer } from "node:http";
createServer((request, response) => {
  console.log("due " + (request.headers["longshore-due"] ?? "on demand"));
  request.resume().on("end", () => response.end("done"));
}).listen(8080);
process.on("SIGTERM", () => process.exit(0));
`;

it("a schedule of every second runs each due time once in containers, paused, on demand, and over a broker's death", { timeout: 180_000 }, async () => {
  await using test = await startProcesses({ brokers: 2, separateBus: true, agents: [{ siteId: "plant" }] });
  await using fleet = createFleet({ url: test.url });
  const image = await ensureImage("node", { files: { "/app/server.mjs": { content: clerk } }, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080] } });
  await fleet.deploy({ name: "clerk", image, contract: "http", memoryBytes: 128 * 2 ** 20, timeoutMs: 20_000 });
  const written = async () => {
    const dues: string[] = [];
    for await (const { line } of fleet.logs("clerk", { tail: 10_000 })) if (line.startsWith("due ")) dues.push(line.slice("due ".length));
    return dues;
  };
  const until = async (count: number) => {
    for (;;) {
      const dues = await written();
      if (dues.length >= count) return dues;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  /** Nothing of it waits or runs any more. */
  const untilQuiet = async () => {
    for (;;) {
      let pending = 0;
      for await (const { state } of fleet.invocations.each({ function: "clerk" })) pending += state === "finished" ? 0 : 1;
      if (pending === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  const { createdAt } = await fleet.schedules.set({ name: "ticks", function: "clerk", everyMs: 1_000, missed: "all" });
  await until(3);
  await test.brokers[1]?.kill(); // Whichever of both it was that ran it.
  await until(8);

  // Paused: what comes due is not run, and not made up; on demand it runs all the same, once under a key.
  await fleet.schedules.pause("ticks");
  await untilQuiet();
  const beforePause = await written();
  const presses = await Promise.all([1, 2, 3].map(() => fleet.schedules.run("ticks", { idempotencyKey: "press-1" })));
  expect(new Set(presses.map(({ invocationId }) => invocationId)).size).toBe(1);
  await fleet.invocation(presses[0]?.invocationId ?? "").ended();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect((await written()).slice(beforePause.length)).toEqual(["on demand"]);
  await fleet.schedules.resume("ticks");
  await until(beforePause.length + 1 + 3);
  await fleet.schedules.remove("ticks");
  await untilQuiet();

  const dues = (await written()).filter((due) => due !== "on demand").map((due) => Date.parse(due));
  expect(new Set(dues).size).toBe(dues.length);
  const numbers = dues.map((due) => (due - Date.parse(createdAt)) / 1_000).toSorted((a, b) => a - b);
  expect(numbers.every((number) => Number.isInteger(number) && number >= 1)).toBe(true);
  // Up to the pause none is missing, whoever died; the pause is a gap; then none is missing again.
  const gaps = numbers.filter((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1);
  expect([numbers[0], gaps.length]).toEqual([1, 1]);
  expect(numbers.indexOf(gaps[0] ?? 0)).toBe(beforePause.length);
});
