import { LongshoreError } from "./error.ts";

/** An image's name taken apart (the grammar of distribution/reference, with Docker Hub's defaults written out). */
export interface ImageReference {
  /** `docker.io`, `registry.plant:5000` */
  readonly registry: string;
  /** `library/nginx` */
  readonly repository: string;
  /** Present unless only a digest was given; `latest` when neither was. */
  readonly tag: string | undefined;
  /** `sha256:…`; wins over the tag. */
  readonly digest: string | undefined;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const referencePattern = new RegExp(`^(${component}(?:/${component})*)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`);
const registryPattern = /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:))(?::\d{1,5})?$/;

/** Reads an image reference as people write it, or throws `bad_schema` naming the field. */
export function parseImageReference(text: string, field = "image"): ImageReference {
  const [registry, rest] = splitRegistry(text);
  const match = text.length <= 512 ? referencePattern.exec(rest) : null;
  const name = match?.[1];
  if (match === null || name === undefined) {
    throw new LongshoreError("bad_schema", `Cannot read ${field} ${JSON.stringify(text.slice(0, 80))}: expected name[:tag][@sha256:digest]`, { field });
  }
  const digest = match[3];
  return {
    registry: registry ?? "docker.io",
    repository: registry === undefined && !name.includes("/") ? `library/${name}` : name,
    tag: match[2] ?? (digest === undefined ? "latest" : undefined),
    digest,
  };
}

function splitRegistry(text: string): [registry: string | undefined, rest: string] {
  const slash = text.indexOf("/");
  const first = slash === -1 ? "" : text.slice(0, slash);
  return registryPattern.test(first) ? [first, text.slice(slash + 1)] : [undefined, text];
}

/** Writes a reference in the form an engine pulls by: the digest where there is one. */
export function formatImageReference(reference: ImageReference): string {
  const tail = reference.digest !== undefined ? `@${reference.digest}` : `:${reference.tag ?? "latest"}`;
  return `${reference.registry}/${reference.repository}${tail}`;
}

/** Reads a registry's host as image references name it (`registry.plant:5000`, `docker.io`), or throws `bad_name` naming the field. */
export function parseRegistryHost(text: string, field = "host"): string {
  const host = text.toLowerCase();
  if (text.length <= 255 && registryPattern.test(host)) return host;
  throw new LongshoreError("bad_name", `Cannot read ${field} ${JSON.stringify(text.slice(0, 80))}: expected a registry's host, with its port where it has one`, { field });
}
