/** An agent that may hold instances of a revision. */
export interface HolderCandidate {
  readonly agentId: string;
  readonly siteId: string;
}

/** So many agents of each site hold instances ahead: one may fail. */
const holdersPerSite = 2;
/** So many agents of each site have the image before they are asked to run it. */
const imagesPerSite = 8;

/**
 * Chooses which agents prepare a revision: up to two of each site, or all where a minimum of instances is asked. The choice depends
 * on the revision and the names alone (rendezvous hashing), so that all brokers choose alike, and one agent's coming or going moves
 * little.
 */
export function chooseHolders<T extends HolderCandidate>(digest: string, minInstances: number, candidates: Iterable<T>): T[] {
  return minInstances > 0 ? [...candidates] : bestOfEachSite(digest, holdersPerSite, candidates);
}

/** Chooses which agents get a revision's image ahead: the holders, and some more of each site, by the same rule. */
export function chooseImageKeepers<T extends HolderCandidate>(digest: string, minInstances: number, candidates: Iterable<T>): T[] {
  return minInstances > 0 ? [...candidates] : bestOfEachSite(digest, imagesPerSite, candidates);
}

function bestOfEachSite<T extends HolderCandidate>(digest: string, perSite: number, candidates: Iterable<T>): T[] {
  const bySite = new Map<string, { readonly candidate: T; readonly weight: number }[]>();
  for (const candidate of candidates) {
    const best = bySite.get(candidate.siteId) ?? [];
    best.push({ candidate, weight: weightOf(`${digest} ${candidate.agentId}`) });
    best.sort((a, b) => b.weight - a.weight || (a.candidate.agentId < b.candidate.agentId ? -1 : 1));
    bySite.set(candidate.siteId, best.slice(0, perSite));
  }
  return [...bySite.values()].flatMap((best) => best.map(({ candidate }) => candidate));
}

/** A number that looks random and depends on the text alone (FNV-1a, then mixed). */
function weightOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
