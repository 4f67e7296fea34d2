import type { ImageReference } from "@longshore/protocol";
import { callLimits, type DockerApi } from "./docker-api.ts";
import { EngineError } from "./engine.ts";
import { isNotFound } from "./failure.ts";
import type { InspectedImage } from "./image-facts.ts";
import { aliasOf, digestReferenceOf } from "./relayed-names.ts";

/**
 * Makes the function that gives an image, which was pulled by a relay's name, its own: the tag it was asked by, and the tag that stands for
 * its digest; the relay's names go. Two pulls of one repository may do so at once: whatever the one has done serves the other.
 */
export function createRelayedNames(api: DockerApi, inspect: (name: string) => Promise<InspectedImage | undefined>) {
  const tag = async (imageId: string, name: string): Promise<void> => {
    const colon = name.lastIndexOf(":");
    await api.call(`Cannot name image "${name}"`, { method: "POST", path: `/images/${imageId}/tag`, query: { repo: name.slice(0, colon), tag: name.slice(colon + 1) } }, callLimits.workMs);
  };
  const untag = async (name: string): Promise<void> => {
    try {
      await api.call(`Cannot unname image "${name}"`, { method: "DELETE", path: `/images/${name}`, query: { noprune: true } }, callLimits.workMs);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  return async (reference: ImageReference, relay: string): Promise<void> => {
    const { registry, repository, tag: asked, digest: wanted } = reference;
    const relayed = `${relay}/${repository}`;
    const pulledName = wanted === undefined ? `${relayed}:${asked ?? "latest"}` : `${relayed}@${wanted}`;
    const image = (await inspect(pulledName)) ?? (wanted === undefined ? undefined : await inspect(aliasOf(reference, wanted)));
    if (image === undefined) throw new EngineError("not_found", 404, `Cannot pull "${registry}/${repository}": the engine does not have it`);
    const digest = wanted ?? digestOf(image, relayed, `${registry}/${repository}`);
    if (digest === undefined) throw new EngineError("internal", 200, `Cannot pull "${registry}/${repository}": the engine does not say its digest`);
    await tag(image.Id, aliasOf(reference, digest));
    if (wanted === undefined) {
      await tag(image.Id, `${registry}/${repository}:${asked ?? "latest"}`);
      await untag(pulledName);
    }
    await untag(`${relayed}@${digest}`);
  };
}

/** From the relay's name, or from a tag that another pull has made of it. */
function digestOf({ RepoDigests, RepoTags }: InspectedImage, relayed: string, own: string): string | undefined {
  const known = [...(RepoDigests ?? []), ...(RepoTags ?? []).flatMap((name) => digestReferenceOf(name) ?? [])];
  const name = [`${relayed}@`, `${own.toLowerCase()}@`].flatMap((prefix) => known.find((each) => each.startsWith(prefix)) ?? [])[0];
  return name?.slice(name.indexOf("@") + 1);
}
