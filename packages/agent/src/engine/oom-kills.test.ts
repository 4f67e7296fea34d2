import { describe, expect, it } from "vitest";
import { counterFile, parseOomKills, readOomKills } from "./oom-kills.ts";

describe("the kernel's count of processes killed for memory", () => {
  it("stands beside the memory controller of version 1", () => {
    expect(counterFile("12:pids:/docker/abc\n9:memory:/docker/abc\n0::/\n")).toBe("/sys/fs/cgroup/memory/docker/abc/memory.oom_control");
    expect(counterFile("3:cpu,memory:/a:b\n")).toBe("/sys/fs/cgroup/memory/a:b/memory.oom_control");
  });

  it("stands in the one hierarchy of version 2", () => {
    expect(counterFile("0::/system.slice/docker-abc.scope\n")).toBe("/sys/fs/cgroup/system.slice/docker-abc.scope/memory.events");
  });

  it("is read from either, and is unknown elsewhere", () => {
    expect(parseOomKills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")).toBe(2);
    expect(parseOomKills("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n")).toBe(1);
    expect(parseOomKills("under_oom 0\n")).toBeUndefined();
  });

  it("is unknown of a process that cannot be seen", async () => {
    expect(await readOomKills(0)).toBeUndefined();
    expect(await readOomKills(2 ** 30)).toBeUndefined();
  });
});
