import { type Fleet, LongshoreError } from "@longshore/sdk";
import { expect, it } from "vitest";
import { readHistory } from "./history-source.ts";

const fleetWith = (parts: object) => parts as Fleet;

it("reads history by function", async () => {
  const points = [{ atMs: 0, outcomes: { succeeded: 1 }, starts: {} }];
  const fleet = fleetWith({ history: async () => ({ fromMs: 0, untilMs: 1, stepMs: 1, functions: [{ name: "f", points }] }) });
  expect((await readHistory(fleet, {}))?.get("f")).toBe(points);
});

it("does without, where the broker knows nothing of it, and hides no other error", async () => {
  const failing = (reason: "route_not_found" | "bus_down") => fleetWith({ history: () => Promise.reject(new LongshoreError(reason, "no")) });
  expect(await readHistory(failing("route_not_found"), {})).toBeUndefined();
  await expect(readHistory(failing("bus_down"), {})).rejects.toMatchObject({ reason: "bus_down" });
});
