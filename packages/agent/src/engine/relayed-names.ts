import type { ImageReference } from "@longshore/protocol";

/**
 * An engine knows an image by digest only under the name that it pulled it by. What came through a relay bore the relay's name, which
 * means nothing after a restart; so it gets a tag that says registry, repository and digest, under a host that no registry can have
 * (RFC 2606). What the agent knows by a relayed digest is thereby kept by the engine alone.
 */
const aliasHost = "longshore.invalid";

/** The tag that stands for a digest of a repository. */
export function aliasOf({ registry, repository }: Pick<ImageReference, "registry" | "repository">, digest: string): string {
  return `${aliasHost}/${registry.toLowerCase().replace(":", "_")}/${repository}:${digest.replace(":", "-")}`;
}

/** The digest reference that a tag stands for; undefined for any other name. */
export function digestReferenceOf(name: string): string | undefined {
  const match = new RegExp(`^${aliasHost.replace(".", "\\.")}/([^/]+)/(.+):(sha256)-([0-9a-f]{64})$`).exec(name);
  if (match === null) return undefined;
  const [, host = "", repository = "", algorithm = "", hex = ""] = match;
  return `${host.replace("_", ":")}/${repository}@${algorithm}:${hex}`;
}

/** True for every name of ours that stands for another. */
export function isAlias(name: string): boolean {
  return name.startsWith(`${aliasHost}/`);
}
