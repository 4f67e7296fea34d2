import type { ImageFacts } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { chooseContract, type ContractWishes } from "./choose-contract.ts";

const image: ImageFacts = { imageId: "sha256:1", repositoryDigests: [], architecture: "amd64", sizeBytes: 1, entrypoint: ["/app"], command: [], exposedPorts: [], env: [], labels: {}, user: "", workingDirectory: "" };
const wishes = { name: "resize", contract: "auto", profile: "standard" } as ContractWishes;

describe("how an image is talked to", () => {
  it.each<[string, Partial<ContractWishes>, Partial<ImageFacts>, string, number | undefined]>([
    ["no port: stdin to stdout", {}, {}, "stdio", undefined],
    ["one port", {}, { exposedPorts: [3000] }, "http", 3000],
    ["a document that says http, no port", { contract: "http" }, {}, "http", 8080],
    ["a document that names the port", { contract: "http", port: 9000 }, { exposedPorts: [1, 2] }, "http", 9000],
    ["a document that says stdio, whatever the image shows", { contract: "stdio" }, { exposedPorts: [80], labels: { "longshore.contract": "http" } }, "stdio", undefined],
    ["a label", {}, { exposedPorts: [80], labels: { "longshore.contract": "stdio" } }, "stdio", undefined],
    ["a label that leaves it open", {}, { labels: { "longshore.contract": "auto" } }, "stdio", undefined],
    ["a watchdog among several ports", {}, { env: ["fprocess=node"], exposedPorts: [8080, 8081] }, "http", 8080],
    ["a watchdog that exposes none", {}, { env: ["fprocess=node"] }, "http", 8080],
    ["a Lambda variable", {}, { env: ["AWS_LAMBDA_RUNTIME_API=x"], exposedPorts: [80] }, "lambda", undefined],
    ["a Lambda root", {}, { env: ["LAMBDA_TASK_ROOT=/var/task"] }, "lambda", undefined],
    ["a Lambda entrypoint", {}, { entrypoint: ["/lambda-entrypoint.sh"] }, "lambda", undefined],
    ["a document that says lambda", { contract: "lambda" }, {}, "lambda", undefined],
    ["a custom handler", {}, { env: ["FUNCTIONS_WORKER_RUNTIME=custom"] }, "azure", undefined],
    ["the whole Functions host", {}, { env: ["FUNCTIONS_WORKER_RUNTIME=node"] }, "http", 80],
    ["the whole Functions host, with ssh beside", {}, { env: ["FUNCTIONS_WORKER_RUNTIME=node"], exposedPorts: [2222, 80] }, "http", 80],
  ])("%s", (_, differences, facts, contract, port) => {
    expect(chooseContract({ ...wishes, ...differences }, { ...image, ...facts })).toMatchObject({ contract, port, because: expect.stringMatching(/./) });
  });

  it.each<[string, Partial<ContractWishes>, Partial<ImageFacts>, { reason: string; field: string }]>([
    ["several ports and none said", {}, { exposedPorts: [1, 2] }, { reason: "ambiguous_port", field: "port" }],
    ["several ports, none of them a watchdog's", {}, { env: ["fprocess=x"], exposedPorts: [1, 2] }, { reason: "ambiguous_port", field: "port" }],
    ["nothing to run", {}, { entrypoint: [] }, { reason: "image_has_no_command", field: "command" }],
    ["a label that is none", {}, { labels: { "longshore.contract": "grpc" } }, { reason: "bad_schema", field: "image" }],
    ["strict, and no user", { profile: "strict" }, {}, { reason: "bad_schema", field: "profile" }],
    ["strict, and root by number", { profile: "strict" }, { user: "0:1000" }, { reason: "bad_schema", field: "profile" }],
    ["strict, and root by name", { profile: "strict" }, { user: "root" }, { reason: "bad_schema", field: "profile" }],
  ])("is refused: %s", (_, differences, facts, error) => {
    expect(() => chooseContract({ ...wishes, ...differences }, { ...image, ...facts })).toThrow(expect.objectContaining(error));
  });

  it("takes the document's command in place of the image's", () => {
    expect(chooseContract({ ...wishes, command: ["/own"] }, { ...image, entrypoint: [] }).contract).toBe("stdio");
    expect(chooseContract({ ...wishes, args: ["/own"] }, { ...image, entrypoint: [] }).contract).toBe("stdio");
  });

  it("takes an image with a user of its own under the strict profile", () => {
    expect(chooseContract({ ...wishes, profile: "strict" }, { ...image, user: "app:app" }).contract).toBe("stdio");
  });
});
