import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Broker, createBroker, resolveBrokerConfig } from "@longshore/broker";
import { createFleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "../support/silent-log.ts";
import { killHalf, LargeFleet, reconnect, untilAgents } from "../support/simulated/large-fleet.ts";

const dataFolder = mkdtempSync(join(tmpdir(), "longshore-large-"));
const [count, apart] = [300, 60];
let large: LargeFleet;
let broker: Broker;
let url: string;

beforeAll(async () => {
  large = await LargeFleet.start(count, apart, 0);
  broker = createBroker(resolveBrokerConfig({ flags: { dataFolder, listen: "127.0.0.1:0", busCredentials: large.busCredentials, logLevel: "silent" }, environment: {}, file: undefined }), { log: silentLog });
  ({ url } = await broker.start());
  await using fleet = createFleet({ url });
  await untilAgents(fleet, count, "ready");
});
afterAll(async () => {
  await broker.close();
  await large[Symbol.asyncDispose]();
  rmSync(dataFolder, { recursive: true });
});

describe("a large fleet", () => {
  it("has agents whose connections break all at once back as one, and fails no call on others", async () => {
    const { afterwards, onOthers } = await reconnect(large, url);
    expect(afterwards).toEqual({ succeeded: apart });
    expect(Object.keys(onOthers)).toEqual(["succeeded"]);
  });

  it("of which half loses power ends what ran there as lost, and sends nothing there any more", async () => {
    const counts = await killHalf(large, url, 20);
    expect(counts.onKilled).toEqual({ lost: 20 });
    expect(counts.onOthers).toEqual({ succeeded: 20 });
    expect(Object.keys(counts.flowing).filter((ending) => ending !== "succeeded" && ending !== "lost")).toEqual([]);
    expect(counts).toMatchObject({ killed: (count - apart) / 2, afterwards: { succeeded: 500 }, afterwardsSent: 0 });
  });
});
