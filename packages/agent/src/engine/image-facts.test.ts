import { describe, expect, it } from "vitest";
import { architectureName, imageFacts } from "./image-facts.ts";

describe("imageFacts()", () => {
  it("reads what a revision needs", () => {
    const facts = imageFacts({
      Id: "sha256:1",
      RepoDigests: ["x@sha256:2"],
      Architecture: "arm64",
      Size: 7,
      Config: { Entrypoint: ["/app"], Cmd: ["serve"], ExposedPorts: { "9090/tcp": {}, "80": {}, "53/udp": {} }, Volumes: { "/data": {} }, Env: ["A=1"], Labels: { k: "v" }, User: "1001", WorkingDir: "/srv", StopSignal: "SIGQUIT" },
    });
    expect(facts).toEqual({
      imageId: "sha256:1",
      repositoryDigests: ["x@sha256:2"],
      architecture: "arm64",
      sizeBytes: 7,
      entrypoint: ["/app"],
      command: ["serve"],
      exposedPorts: [80, 9090],
      volumes: ["/data"],
      env: ["A=1"],
      labels: { k: "v" },
      user: "1001",
      workingDirectory: "/srv",
      stopSignal: "SIGQUIT",
      faults: [],
    });
  });

  it("reads an image that says nothing of itself", () => {
    const empty = { entrypoint: [], command: [], exposedPorts: [], volumes: [], faults: [], env: [], labels: {}, user: "", workingDirectory: "", repositoryDigests: [] };
    expect(imageFacts({ Id: "sha256:1", Config: null })).toMatchObject(empty);
    expect(imageFacts({ Id: "sha256:1", RepoDigests: null, Config: { Entrypoint: null, Cmd: null, ExposedPorts: null, Env: null, Labels: null, StopSignal: "" } })).not.toHaveProperty("stopSignal");
  });

  it("tells what in its config is in no order", () => {
    expect(imageFacts({ Id: "sha256:1", Config: { WorkingDir: "app" } }).faults).toEqual([expect.stringContaining("WorkingDir")]);
  });
});

describe("architectureName()", () => {
  it("is the images' own name for what a kernel calls otherwise", () => {
    expect(["x86_64", "aarch64", "amd64", "riscv64"].map(architectureName)).toEqual(["amd64", "arm64", "amd64", "riscv64"]);
  });
});
