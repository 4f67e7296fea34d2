import { describe, expect, it } from "vitest";
import { createSuspension, freezeFiles } from "./container-freezer.ts";
import type { ContainerId } from "./engine.ts";

const id = "c0ffee" as ContainerId;

describe("the control group of a container", () => {
  it("is frozen by a word where the freezer has a hierarchy of its own, else by a digit", () => {
    expect(freezeFiles("6:freezer:/docker/c0ffee\n4:memory:/docker/c0ffee\n0::/\n", id)).toMatchObject({ order: "/sys/fs/cgroup/freezer/docker/c0ffee/freezer.state", frozen: "FROZEN", thawed: "THAWED" });
    const unified = freezeFiles("0::/system.slice/docker-c0ffee.scope\n", id);
    expect(unified).toMatchObject({ order: "/sys/fs/cgroup/system.slice/docker-c0ffee.scope/cgroup.freeze", frozen: "1", thawed: "0", state: "/sys/fs/cgroup/system.slice/docker-c0ffee.scope/cgroup.events" });
    expect(unified?.isFrozen.test("populated 1\nfrozen 1\n")).toBe(true);
    expect(unified?.isFrozen.test("populated 1\nfrozen 0\n")).toBe(false);
  });

  it.each(["", "6:freezer:/\n0::/docker/c0ffee\n", "0::/\n", "0::/system.slice/dockerd.service\n"])("is none that others may be in: %j", (cgroups) => {
    expect(freezeFiles(cgroups, id)).toBeUndefined();
  });

  it("is the engine's to freeze where it cannot be found", async () => {
    const asked: string[] = [];
    const engine = { pauseContainer: (container: ContainerId) => Promise.resolve(void asked.push(`pause ${container}`)), resumeContainer: (container: ContainerId) => Promise.resolve(void asked.push(`resume ${container}`)) };
    const suspension = createSuspension(engine, id, process.pid);
    await suspension.pause();
    await suspension.resume();
    expect(asked).toEqual(["pause c0ffee", "resume c0ffee"]);
  });
});
