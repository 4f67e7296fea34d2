import { formatImageReference, parseImageReference, type Revision } from "@longshore/protocol";

/**
 * Everything that a reference may mean an image by: its full form and its digest. Two that share one may be the same image. A text that
 * is no reference, an id among them, stands for itself.
 */
export function namesOf(reference: string): string[] {
  const full = fullReference(reference);
  const at = full.indexOf("@");
  return at === -1 ? [full] : [full, full.slice(at + 1)];
}

/** The names of the image that a revision runs from. */
export function namesOfRevision({ image }: Pick<Revision, "image">): string[] {
  if (image.local) return [image.digest];
  return namesOf(formatImageReference({ ...parseImageReference(image.reference), digest: image.digest }));
}

/** True when one of the names of one is a name of the other. */
export function shareName(names: Iterable<string>, others: ReadonlySet<string>): boolean {
  for (const name of names) if (others.has(name)) return true;
  return false;
}

const imageIdPattern = /^sha256:[0-9a-f]{64}$/;

/** A reference with registry, and tag or digest, written out; an id, and what is no reference, as it is. */
export function fullReference(reference: string): string {
  if (imageIdPattern.test(reference)) return reference;
  try {
    return formatImageReference(parseImageReference(reference));
  } catch {
    return reference;
  }
}
