/**
 * Which of the brokers tries what is queued in a partition: the one whose name, mixed with the partition's number, comes out highest. So
 * all agree without asking, and a broker that comes or goes moves no partition but those that it has (rendezvous hashing).
 */
export function ownerOf(partition: number, brokerIds: Iterable<string>): string | undefined {
  let owner: string | undefined;
  let most = -1;
  for (const brokerId of brokerIds) {
    const weight = mix(brokerId, partition);
    if (weight < most || (weight === most && owner !== undefined && brokerId < owner)) continue;
    owner = brokerId;
    most = weight;
  }
  return owner;
}

/** FNV-1a, with its bits spread at the end: names that differ in one letter must not come out near one another. */
function mix(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed + 1, 0x9e3779b1);
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
