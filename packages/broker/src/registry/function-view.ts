import type { FunctionView, Revision } from "@longshore/protocol";

/** A revision as the API shows it: secrets by name only. */
export function functionView(revision: Revision): FunctionView {
  const { secrets, ...spec } = revision.spec;
  return {
    ...spec,
    secretNames: Object.keys(secrets).sort(),
    revision: revision.revision,
    revisionId: revision.revisionId,
    createdAt: revision.createdAt,
    resolvedImage: revision.image,
  };
}
