import type { Revision } from "@longshore/protocol";

/** That many are remembered beside those in use; a broker sends a forgotten one along when it is asked for. */
const maxRemembered = 10_000;

/** The revisions this agent was told of. */
export class KnownRevisions {
  readonly #revisions = new Map<string, Revision>();

  find(digest: string): Revision | undefined {
    return this.#revisions.get(digest);
  }

  remember(revision: Revision): void {
    this.#revisions.delete(revision.digest);
    this.#revisions.set(revision.digest, revision);
    if (this.#revisions.size <= maxRemembered) return;
    const [oldest] = this.#revisions.keys();
    if (oldest !== undefined) this.#revisions.delete(oldest);
  }
}
