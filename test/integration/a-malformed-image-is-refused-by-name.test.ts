import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { shellFunction } from "../support/functions.ts";
import { ensureImage } from "../support/images/ensure-image.ts";
import { loadHandMadeImage } from "../support/images/unusual-images.ts";

/** Images whose config an engine keeps without a word, and which could not run, or not end, as it says. */
describe("an image with a malformed config", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await test.fleet.deploy(await shellFunction("bystander", "cat"));
  });
  afterAll(() => test.close());

  const deploy = (image: string) => test.fleet.deploy({ name: "odd", image });

  it.each<[object, string]>([
    [{ Cmd: ["/x"], ExposedPorts: { "99999/tcp": {} } }, 'ExposedPorts has "99999/tcp", no port'],
    [{ Cmd: ["/x"], ExposedPorts: { "-1/tcp": {} } }, 'ExposedPorts has "-1/tcp", no port'],
    [{ Cmd: ["/x"], WorkingDir: "app" }, 'WorkingDir is "app", no absolute path'],
    [{ Cmd: ["/x"], WorkingDir: `/${"a".repeat(100_000)}` }, 'WorkingDir is "/aaa'],
    [{ Cmd: ["/x"], StopSignal: "SIGFOO" }, 'StopSignal is "SIGFOO", no signal'],
    [{ Cmd: ["/x"], StopSignal: "-1" }, 'StopSignal is "-1", no signal'],
    [{ Cmd: ["/x"], User: "-5" }, 'User is "-5", no user and group'],
    [{ Cmd: ["/x"], User: "99999999999" }, 'User is "99999999999", no user and group'],
    [{ Cmd: ["/x"], Volumes: { "/": {} } }, 'Volumes has "/", no absolute path'],
    [{ Cmd: ["/x"], Env: ["A=1", "=2"] }, 'Env has "=2", no variable'],
    [{ Cmd: ["/x"], Env: ["A=b\0c"] }, 'Env has "A=b\\u0000c", no variable'],
  ])("is refused at deploy, with the field and its value: %#", async (config, message) => {
    await expect(deploy(await loadHandMadeImage(config))).rejects.toMatchObject({ reason: "bad_schema", field: "image", message: expect.stringContaining(message) as string });
  });

  it.each<[object | null, object]>([
    [null, { reason: "image_has_no_command", field: "command" }],
    [{ Entrypoint: [], Cmd: [] }, { reason: "image_has_no_command", field: "command" }],
    [{ Entrypoint: [""], Cmd: ["x"] }, { reason: "image_has_no_command", field: "command" }],
    [{ Cmd: ["/x", "a".repeat(200_000)] }, { reason: "payload_too_large", field: "image" }],
    [{ Cmd: ["/x"], ExposedPorts: { "80/tcp": {}, "9090/tcp": {}, "53/udp": {} } }, { reason: "ambiguous_port", field: "port", message: expect.stringContaining("exposes ports 80, 9090;") as string }],
  ])("or one that says too little or too much is refused at deploy: %#", async (config, error) => {
    await expect(deploy(await loadHandMadeImage(config))).rejects.toMatchObject(error);
  });

  it("of a wrong type gets no further than the engine, and an entrypoint that is a text is one word", async () => {
    await expect(loadHandMadeImage({ Entrypoint: 5 })).rejects.toThrow("unmarshal");
    await deploy(await loadHandMadeImage({ Entrypoint: "/bin/no such program" }));
    await expect(test.fleet.invoke("odd")).rejects.toMatchObject({ reason: "instance_start_failed", message: expect.stringContaining("/bin/no such program") as string });
  });

  it("or a user, a volume or a folder that the image itself lacks is told in the engine's words to the first caller", async () => {
    const cases = [
      { config: { user: "ghost", cmd: ["true"] }, words: "unable to find user ghost" },
      { config: { volumes: ["/bin/busybox"], cmd: ["true"] }, words: "/bin/busybox" },
    ];
    for (const [at, { config, words }] of cases.entries()) {
      const { function: deployed } = await test.fleet.deploy({ name: `lacking-${at}`, image: await ensureImage("busybox", { config }), contract: "stdio" });
      await expect(test.fleet.invoke(deployed.name)).rejects.toMatchObject({ reason: "instance_start_failed", phase: "startup", message: expect.stringContaining(words) as string });
      await test.fleet.remove(deployed.name);
    }
  });

  it("has disturbed nobody", async () => {
    expect(await test.fleet.invoke("bystander", "high tide")).toEqual(new TextEncoder().encode("high tide"));
    expect((await test.fleet.agents.list()).map(({ state }) => state)).toEqual(["ready"]);
  });
});
