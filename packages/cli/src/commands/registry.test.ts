import type { RegistryLogin } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { Fleet } from "../fleet.ts";
import { runLine } from "../testing/run-line.ts";

const view = { host: "registry.plant:5000", username: "robot", updatedAt: "2026-11-25T12:00:00.000Z" };

function recording(): { fleet: Partial<Fleet>; set: [string, RegistryLogin][]; removed: string[] } {
  const set: [string, RegistryLogin][] = [];
  const removed: string[] = [];
  const registries: Fleet["registries"] = {
    list: async () => [view],
    set: async (host, login) => (set.push([host, login]), view),
    remove: async (host) => void removed.push(host),
  };
  return { set, removed, fleet: { registries } };
}

describe("longshore registry", () => {
  it("takes a password from stdin, and shows it nowhere", async () => {
    const { fleet, set } = recording();
    const { stdout, stderr, exitCode } = await runLine(["registry", "login", "registry.plant:5000", "-u", "robot", "--password-stdin"], { fleet, input: "a secret word\n" });
    expect(set).toEqual([["registry.plant:5000", { username: "robot", password: "a secret word" }]]);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "Images of registry.plant:5000 are pulled as robot\n", stderr: "", exitCode: 0 });
  });

  it.each([
    ["no account", ["--password-stdin"], "x"],
    ["no --password-stdin", ["-u", "robot"], "x"],
    ["an empty password", ["-u", "robot", "--password-stdin"], "\n"],
  ])("refuses %s", async (_, flags, input) => {
    expect(await runLine(["registry", "login", "registry.plant:5000", ...flags], { fleet: recording().fleet, input })).toMatchObject({ exitCode: 2 });
  });

  it("lists hosts and accounts", async () => {
    const { stdout } = await runLine(["registry", "ls"], { fleet: recording().fleet });
    expect(stdout).toMatch(/^REGISTRY +USER +SET\nregistry.plant:5000 +robot +/);
    expect(JSON.parse((await runLine(["registry", "ls", "--json"], { fleet: recording().fleet })).stdout)).toEqual({ registries: [view] });
  });

  it("forgets", async () => {
    const { fleet, removed } = recording();
    await runLine(["registry", "logout", "registry.plant:5000"], { fleet });
    expect(removed).toEqual(["registry.plant:5000"]);
  });
});
