import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { shellFunction } from "../support/functions.ts";

describe("a command-line image", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
  });
  afterAll(() => test.close());

  it("prints the time of the call, though its container was made before", async () => {
    const { function: deployed } = await test.fleet.deploy(await shellFunction("time", "date +%s"));
    await test.untilHeld(deployed.revisionId, "plant");
    const heldUntil = Math.floor(Date.now() / 1000) + 1;
    await new Promise((resolve) => setTimeout(resolve, heldUntil * 1000 + 50 - Date.now())); // The clock itself is what is waited for.
    const answer = await test.fleet.call("time");
    expect(answer.start).toBe("held");
    expect(Number(await answer.text())).toBeGreaterThanOrEqual(heldUntil);
  });

  it("serves each call with a container of its own: nothing leaks from one to the next", async () => {
    await test.fleet.deploy(await shellFunction("leak", "cat /tmp/left 2>/dev/null; echo here > /tmp/left; echo done"));
    for (let call = 0; call < 3; call += 1) expect(await (await test.fleet.call("leak")).text()).toBe("done\n");
  });

  it("is told in its environment which invocation it serves, and nothing that the caller wrote there", async () => {
    await test.fleet.deploy(await shellFunction("env", "env", { env: { PLAIN: "a=b\nc" }, secrets: { TOKEN: "hush" } }));
    const answer = await test.fleet.call("env", undefined, { headers: [["longshore-function", "forged"], ["x-ld-preload", "1"]] });
    const text = await answer.text();
    expect(text).toContain("LONGSHORE_FUNCTION=env\n");
    expect(text).toContain(`LONGSHORE_INVOCATION_ID=${answer.invocationId}\n`);
    expect(text).toContain("PLAIN=a=b\nc\n");
    expect(text).toContain("TOKEN=hush\n");
    expect(text).not.toContain("forged");
  });

  it("takes a body and gives one, byte for byte, and an early reader is no failure", async () => {
    await test.fleet.deploy(await shellFunction("cat", "cat"));
    await test.fleet.deploy(await shellFunction("first", "head -c 10"));
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
    expect(Buffer.compare(await (await test.fleet.call("cat", bytes)).bytes(), bytes)).toBe(0);
    const first = await test.fleet.call("first", bytes);
    expect(Buffer.from(await first.bytes())).toEqual(Buffer.from(bytes.subarray(0, 10)));
    expect(await first.result).toMatchObject({ outcome: "succeeded" });
  });
});
