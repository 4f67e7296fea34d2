/** An agent that may hold instances of a revision. */
export interface HolderCandidate {
  readonly address: { readonly agentId: string; readonly siteId: string };
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

interface Weighed<T> {
  readonly candidate: T;
  readonly weight: number;
}

/** Each site's best, the best of all first. A large fleet is looked through for every revision, so that nothing is made for those that are not among them. */
function bestOfEachSite<T extends HolderCandidate>(digest: string, perSite: number, candidates: Iterable<T>): T[] {
  const seed = hashOf(digest);
  const bySite = new Map<string, Weighed<T>[]>();
  for (const candidate of candidates) {
    const { agentId, siteId } = candidate.address;
    const best = bySite.get(siteId);
    const weight = mix(seed ^ hashOf(agentId));
    if (best === undefined) bySite.set(siteId, [{ candidate, weight }]);
    else if (best.length < perSite || weight >= (best[perSite - 1]?.weight ?? 0)) keepBest(best, { candidate, weight }, perSite);
  }
  return [...bySite.values()].flatMap((best) => best.map(({ candidate }) => candidate));
}

function keepBest<T extends HolderCandidate>(best: Weighed<T>[], one: Weighed<T>, perSite: number): void {
  best.push(one);
  best.sort((a, b) => b.weight - a.weight || (a.candidate.address.agentId < b.candidate.address.agentId ? -1 : 1));
  best.splice(perSite);
}

/** A number that depends on the text alone (FNV-1a). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** A number that looks random, of one that does not. */
function mix(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
