import { type ContractName, type FunctionDocument, functionDocumentSchema, type ImageFacts, parseInput, resolveFunction, type Revision, revisionSchema } from "@longshore/protocol";
import { createHash } from "node:crypto";

/** A revision as a broker would send it; `name` decides its digest. */
export function testRevision(document: Partial<Omit<FunctionDocument, "contract">> & { contract?: ContractName } = {}): Revision {
  const { name = "resize", image = "registry.test/resize:1", contract = "http", ...rest } = document;
  const spec = resolveFunction(parseInput(functionDocumentSchema, { name, image, contract, ...rest }, "function"), contract);
  const revision = {
    tenantId: "default",
    functionName: name,
    revision: 1,
    revisionId: `${name}-r1`,
    digest: createHash("md5").update(name).digest("hex"),
    createdAt: "2026-11-25T00:00:00.000Z",
    image: { reference: image, digest: `sha256:${"a".repeat(64)}`, local: false, architecture: "amd64", sizeBytes: 1, entrypoint: ["/app"], command: [], exposedPorts: [] },
    spec,
  };
  return parseInput(revisionSchema, revision, "revision");
}

/** What an engine knows of a revision's image. */
export function testImage(facts: Partial<ImageFacts> = {}): ImageFacts {
  return { imageId: "sha256:1", repositoryDigests: [], architecture: "amd64", sizeBytes: 1, entrypoint: ["/app"], command: [], exposedPorts: [], volumes: [], env: [], labels: {}, user: "", workingDirectory: "", faults: [], ...facts };
}
