import type { ImageFacts } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { chooseContract, type ContractWishes } from "./choose-contract.ts";

const image: ImageFacts = { imageId: "sha256:1", repositoryDigests: [], architecture: "amd64", sizeBytes: 1, entrypoint: ["/app"], command: [], exposedPorts: [], volumes: [], env: [], labels: {}, user: "", workingDirectory: "", faults: [] };
const wishes = { name: "resize", contract: "auto", profile: "standard" } as ContractWishes;

describe("how an image is talked to", () => {
  it.each<[string, Partial<ContractWishes>, Partial<ImageFacts>, string, number | undefined]>([
    ["no port: stdin to stdout", {}, {}, "stdio", undefined],
    ["one port", {}, { exposedPorts: [3000] }, "http", 3000],
    ["a document that says http, no port", { contract: "http" }, {}, "http", 8080],
    ["a document that names the port", { contract: "http", port: 9000 }, { exposedPorts: [1, 2] }, "http", 9000],
    ["a document that names the port by its environment", { contract: "http", env: { PORT: "9000" } }, { exposedPorts: [1, 2], labels: { "longshore.port": "2" } }, "http", 9000],
    ["a document that names the port twice alike", { contract: "http", port: 9000, env: { PORT: "9000" } }, { exposedPorts: [80] }, "http", 9000],
    ["a document's environment for a command", { env: { PORT: "any" } }, {}, "stdio", undefined],
    ["a document that says stdio, whatever the image shows", { contract: "stdio" }, { exposedPorts: [80], labels: { "longshore.contract": "http" } }, "stdio", undefined],
    ["a label", {}, { exposedPorts: [80], labels: { "longshore.contract": "stdio" } }, "stdio", undefined],
    ["a label that leaves it open", {}, { labels: { "longshore.contract": "auto" } }, "stdio", undefined],
    ["a watchdog among several ports", {}, { env: ["fprocess=node"], exposedPorts: [8080, 8081] }, "http", 8080],
    ["a watchdog that exposes none", {}, { env: ["fprocess=node"] }, "http", 8080],
    ["a watchdog on the one port exposed", {}, { env: ["fprocess=node"], exposedPorts: [9090] }, "http", 9090],
    ["a functions framework's target", {}, { env: ["FUNCTION_TARGET=hello"] }, "http", 8080],
    ["a functions framework's signature", {}, { env: ["FUNCTION_SIGNATURE_TYPE=cloudevent"] }, "http", 8080],
    ["a functions framework as the program", {}, { entrypoint: ["npx", "functions-framework"] }, "http", 8080],
    ["a functions framework among the arguments", {}, { command: ["/usr/local/bin/functions-framework-python.py", "/app/node_modules/.bin/functions-framework", "--target=x"] }, "http", 8080],
    ["a port in its environment", {}, { env: ["PORT=3000"] }, "http", 3000],
    ["a port in its environment, among several", {}, { env: ["PORT=3000"], exposedPorts: [3000, 9090] }, "http", 3000],
    ["a port in its environment, and another one exposed", {}, { env: ["PORT=3000"], exposedPorts: [80] }, "http", 80],
    ["no port in PORT", {}, { env: ["PORT=none"] }, "stdio", undefined],
    ["a label that names the port among several", {}, { exposedPorts: [80, 9090], labels: { "longshore.port": "9090" } }, "http", 9090],
    ["a document's port over a label's", { port: 80 }, { exposedPorts: [80, 9090], labels: { "longshore.port": "9090" } }, "http", 80],
    ["a port's label for an image without ports", {}, { labels: { "longshore.port": "9090", "longshore.contract": "http" } }, "http", 9090],
    ["a port's label, which makes no server of an image", {}, { labels: { "longshore.port": "9090" } }, "stdio", undefined],
    ["Lambda's signs before all others", {}, { env: ["PORT=1", "fprocess=x", "FUNCTIONS_WORKER_RUNTIME=custom", "LAMBDA_TASK_ROOT=/x"], exposedPorts: [80] }, "lambda", undefined],
    ["Azure's signs before a watchdog's", {}, { env: ["fprocess=x", "FUNCTIONS_WORKER_RUNTIME=custom"] }, "azure", 8080],
    ["a label before every sign", {}, { env: ["LAMBDA_TASK_ROOT=/x"], labels: { "longshore.contract": "azure" } }, "azure", 8080],
    ["a Lambda variable", {}, { env: ["AWS_LAMBDA_RUNTIME_API=x"], exposedPorts: [80] }, "lambda", undefined],
    ["a Lambda root", {}, { env: ["LAMBDA_TASK_ROOT=/var/task"] }, "lambda", undefined],
    ["a Lambda entrypoint", {}, { entrypoint: ["/lambda-entrypoint.sh"] }, "lambda", undefined],
    ["a document that says lambda", { contract: "lambda" }, {}, "lambda", undefined],
    ["a custom handler", {}, { env: ["FUNCTIONS_WORKER_RUNTIME=custom"] }, "azure", 8080],
    ["a custom handler behind the whole Functions host", {}, { env: ["FUNCTIONS_WORKER_RUNTIME=custom", "AzureWebJobsScriptRoot=/home/site/wwwroot"], exposedPorts: [2222, 80] }, "http", 80],
    ["a document that says azure, and the port exposed", { contract: "azure" }, { exposedPorts: [9000] }, "azure", 9000],
    ["a document that says azure, and several ports exposed", { contract: "azure" }, { exposedPorts: [1, 2] }, "azure", 8080],
    ["a document that says azure and where", { contract: "azure", port: 7071 }, { exposedPorts: [1, 2] }, "azure", 7071],
    ["the whole Functions host", {}, { env: ["FUNCTIONS_WORKER_RUNTIME=node"] }, "http", 80],
    ["the whole Functions host, with ssh beside", {}, { env: ["FUNCTIONS_WORKER_RUNTIME=node"], exposedPorts: [2222, 80] }, "http", 80],
  ])("%s", (_, differences, facts, contract, port) => {
    expect(chooseContract({ ...wishes, ...differences }, { ...image, ...facts })).toMatchObject({ contract, port, because: expect.stringMatching(/./) });
  });

  it.each<[string, Partial<ContractWishes>, Partial<ImageFacts>, { reason: string; field: string }]>([
    ["several ports and none said", {}, { exposedPorts: [1, 2] }, { reason: "ambiguous_port", field: "port" }],
    ["several ports, none of them a watchdog's", {}, { env: ["fprocess=x"], exposedPorts: [1, 2] }, { reason: "ambiguous_port", field: "port" }],
    ["a port, and another one in its environment", { contract: "http", port: 80, env: { PORT: "81" } }, {}, { reason: "ambiguous_port", field: "port" }],
    ["no port in its environment", { contract: "http", env: { PORT: "http" } }, {}, { reason: "bad_schema", field: "env.PORT" }],
    ["nothing to run", {}, { entrypoint: [] }, { reason: "image_has_no_command", field: "command" }],
    ["an empty word to run", {}, { entrypoint: ["", "x"] }, { reason: "image_has_no_command", field: "command" }],
    ["a config that no container can be made of", {}, { faults: ['WorkingDir is "app", no absolute path'] }, { reason: "bad_schema", field: "image" }],
    ["strict, and root by a number with a sign", { profile: "strict" }, { user: "+0" }, { reason: "image_runs_as_root", field: "profile" }],
    ["a label that is none", {}, { labels: { "longshore.contract": "grpc" } }, { reason: "bad_schema", field: "image" }],
    ["a label that is no port", {}, { exposedPorts: [80, 81], labels: { "longshore.port": "http" } }, { reason: "bad_schema", field: "image" }],
    ["a label that is a port too high", {}, { exposedPorts: [80, 81], labels: { "longshore.port": "65536" } }, { reason: "bad_schema", field: "image" }],
    ["several ports, beside the one in PORT", {}, { env: ["PORT=3000"], exposedPorts: [1, 2] }, { reason: "ambiguous_port", field: "port" }],
    ["strict, and no user", { profile: "strict" }, {}, { reason: "image_runs_as_root", field: "profile" }],
    ["strict, and root by number", { profile: "strict" }, { user: "0:1000" }, { reason: "image_runs_as_root", field: "profile" }],
    ["strict, and root by name", { profile: "strict" }, { user: "root" }, { reason: "image_runs_as_root", field: "profile" }],
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

  it.each<[Partial<ContractWishes>, Partial<ImageFacts>, string]>([
    [{ contract: "http" }, {}, "the function's document says so"],
    [{}, { labels: { "longshore.contract": "stdio" } }, "the image's label longshore.contract says so"],
    [{}, { env: ["AWS_LAMBDA_X=1"] }, "the image sets AWS_LAMBDA_X"],
    [{}, { entrypoint: ["/usr/bin/aws-lambda-ric"] }, "the image's entrypoint is /usr/bin/aws-lambda-ric"],
    [{}, { env: ["FUNCTIONS_WORKER_RUNTIME=custom"] }, "the image sets FUNCTIONS_WORKER_RUNTIME=custom"],
    [{}, { env: ["FUNCTIONS_WORKER_RUNTIME=node"] }, "the image sets FUNCTIONS_WORKER_RUNTIME=node, so that it carries the Functions host"],
    [{}, { env: ["FUNCTIONS_WORKER_RUNTIME=custom", "AzureWebJobsScriptRoot=/x"] }, "the image sets AzureWebJobsScriptRoot, so that it carries the Functions host"],
    [{}, { env: ["fprocess=cat"] }, "the image sets fprocess, so that it carries a watchdog"],
    [{}, { env: ["FUNCTION_TARGET=x"] }, "the image sets FUNCTION_TARGET, so that it carries a functions framework"],
    [{}, { command: ["functions-framework"] }, "the image runs functions-framework"],
    [{}, { env: ["PORT=80"] }, "the image sets PORT=80"],
    [{}, { exposedPorts: [80] }, "the image exposes port 80"],
    [{ port: 81 }, { exposedPorts: [80, 81] }, "the image exposes ports 80, 81"],
    [{}, {}, "the image exposes no port"],
  ])("says why: %j, %j", (differences, facts, because) => {
    expect(chooseContract({ ...wishes, ...differences }, { ...image, ...facts }).because).toBe(because);
  });

  it("names what is wrong with the image's config", () => {
    expect(() => chooseContract(wishes, { ...image, faults: ["A", "B", "C", "D"] })).toThrow(/Cannot deploy "resize": its image's config is malformed: A; B; C$/);
  });

  it("names the ports that there are to choose from", () => {
    expect(() => chooseContract(wishes, { ...image, exposedPorts: [80, 9090] })).toThrow(/Cannot deploy "resize": its image exposes ports 80, 9090; set port to one of them/);
  });
});
