/** An agent that may hold instances of a revision. */
export interface HolderCandidate {
  readonly address: { readonly agentId: string; readonly siteId: string };
}

/** What one agent keeps ready of a revision. */
export interface Keeping {
  /** Instances held. */
  readonly held: number;
  /** Instances begun, whether they are used or not. */
  readonly minimum: number;
}

/** So many agents of each site hold instances ahead: one may fail. */
const holdersPerSite = 2;
/** So many agents of each site have the image before they are asked to run it. */
const imagesPerSite = 8;
const heldPerHolder = 1;

/**
 * Chooses what each agent keeps ready of a revision: up to two of each site hold one instance, and the function's minimum of begun ones is dealt out
 * over the fleet, one to each agent in turn and site by site, so that little is lost with one of them. Agents that keep nothing are not named. The choice depends
 * on the revision and the names alone (rendezvous hashing), so that all brokers choose alike, and one agent's coming or going moves
 * little.
 */
export function chooseKeeping<T extends HolderCandidate>(digest: string, minInstances: number, candidates: Iterable<T>): Map<T, Keeping> {
  const all = [...candidates];
  const keeping = new Map(bestOfEachSite(digest, holdersPerSite, all).map((holder): [T, Keeping] => [holder, { held: heldPerHolder, minimum: 0 }]));
  const order = minInstances > 0 ? siteBySite(digest, minInstances, all) : [];
  for (const [at, candidate] of order.entries()) {
    const minimum = Math.ceil((minInstances - at) / order.length);
    keeping.set(candidate, { held: keeping.get(candidate)?.held ?? 0, minimum });
  }
  return keeping;
}

/** Chooses which agents get a revision's image ahead, by the same rule. */
export function chooseImageKeepers<T extends HolderCandidate>(digest: string, candidates: Iterable<T>): T[] {
  return bestOfEachSite(digest, imagesPerSite, candidates);
}

function bestOfEachSite<T extends HolderCandidate>(digest: string, perSite: number, candidates: Iterable<T>): T[] {
  return [...bySite(candidates).values()].flatMap((ofSite) => best(perSite, digest, ofSite, agentOf));
}

/** The best of each site, then the second of each, and so on, as many as wanted. */
function siteBySite<T extends HolderCandidate>(digest: string, wanted: number, candidates: Iterable<T>): T[] {
  const sites = best(Infinity, digest, bySite(candidates), ([siteId]) => siteId).map(([, ofSite]) => best(wanted, digest, ofSite, agentOf));
  const ranks = Math.max(0, ...sites.map((ofSite) => ofSite.length));
  return Array.from({ length: ranks }, (_, rank) => sites.flatMap((ofSite) => ofSite[rank] ?? [])).flat().slice(0, wanted);
}

function bySite<T extends HolderCandidate>(candidates: Iterable<T>): Map<string, T[]> {
  const sites = new Map<string, T[]>();
  for (const candidate of candidates) {
    const ofSite = sites.get(candidate.address.siteId);
    if (ofSite === undefined) sites.set(candidate.address.siteId, [candidate]);
    else ofSite.push(candidate);
  }
  return sites;
}

const agentOf = ({ address }: HolderCandidate) => address.agentId;

interface Weighed<T> {
  readonly item: T;
  readonly name: string;
  readonly weight: number;
}

/** So many of the items, the one of most weight first. A large fleet is looked through for every revision, so that nothing is made for those that are not among them. */
function best<T>(wanted: number, digest: string, items: Iterable<T>, nameOf: (item: T) => string): T[] {
  const seed = hashOf(digest);
  const chosen: Weighed<T>[] = [];
  for (const item of items) {
    const name = nameOf(item);
    const weight = mix(seed ^ hashOf(name));
    if (chosen.length >= wanted && weight < (chosen[wanted - 1]?.weight ?? 0)) continue;
    insert(chosen, { item, name, weight });
    if (chosen.length > wanted) chosen.pop();
  }
  return chosen.map(({ item }) => item);
}

function insert<T>(chosen: Weighed<T>[], one: Weighed<T>): void {
  const at = chosen.findIndex(({ weight, name }) => weight < one.weight || (weight === one.weight && name > one.name));
  chosen.splice(at === -1 ? chosen.length : at, 0, one);
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
