import { type FunctionDocument, functionDocumentSchema, resolveFunction, type Revision, type RevisionImage } from "@longshore/protocol";
import { type Definition, makeRevision } from "../revision.ts";

/** What differs from an http function of the tenant `acme` whose image is in a registry. */
export interface RevisionWishes {
  readonly tenantId?: string;
  readonly number?: number;
  readonly document?: Partial<FunctionDocument>;
  readonly image?: Partial<RevisionImage>;
}

/** What a deploy would make of a document. */
export function testDefinition({ tenantId = "acme", document = {}, image = {} }: RevisionWishes = {}): Definition {
  const full = functionDocumentSchema.parse({ name: "resize", image: "images.example.com/resize:1", ...document });
  return {
    tenantId: tenantId as Definition["tenantId"],
    spec: resolveFunction(full, full.contract === "auto" ? "http" : full.contract),
    image: { reference: full.image, digest: `sha256:${"a".repeat(64)}`, local: false, architecture: "amd64", sizeBytes: 1_000, entrypoint: ["/app"], command: [], exposedPorts: [8080], ...image },
  };
}

/** A whole revision. */
export function testRevision(wishes: RevisionWishes = {}): Revision {
  return makeRevision(testDefinition(wishes), wishes.number ?? 1, new Date(Date.UTC(2026, 10, 25)));
}
