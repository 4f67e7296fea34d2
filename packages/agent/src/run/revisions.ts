import { parseImageReference, type RegistryCredential, type Revision } from "@longshore/protocol";

/** That many are remembered beside those in use; a broker sends a forgotten one along when it is asked for. */
const maxRemembered = 10_000;

/** The revisions this agent was told of, and what their images are pulled with. In memory only. */
export class KnownRevisions {
  readonly #revisions = new Map<string, Revision>();
  /** By tenant and registry: what one revision came with is right for all of them. */
  readonly #credentials = new Map<string, RegistryCredential>();

  find(digest: string): Revision | undefined {
    return this.#revisions.get(digest);
  }

  /** What the broker that told of the revision, or of another one of its tenant and registry, sent along last. */
  credentialOf(revision: Revision): RegistryCredential | undefined {
    return this.#credentials.get(registryKey(revision));
  }

  /** A revision that comes without credential needs none any more. */
  remember(revision: Revision, credential: RegistryCredential | undefined): void {
    this.#revisions.delete(revision.digest);
    this.#revisions.set(revision.digest, revision);
    if (credential === undefined) this.#credentials.delete(registryKey(revision));
    else this.#credentials.set(registryKey(revision), credential);
    if (this.#revisions.size <= maxRemembered) return;
    const [oldest] = this.#revisions.keys();
    if (oldest !== undefined) this.#revisions.delete(oldest);
  }
}

function registryKey({ tenantId, image }: Revision): string {
  return `${tenantId} ${parseImageReference(image.reference).registry.toLowerCase()}`;
}
