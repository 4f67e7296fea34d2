import { expect, it } from "vitest";
import { testRevision } from "../testing/revision.ts";
import { KnownRevisions } from "./revisions.ts";

const credential = { username: "robot", password: "secret" };
const of = (tenantId: string, reference: string, digest: string) => {
  const revision = testRevision();
  return { ...revision, tenantId, digest, image: { ...revision.image, reference } };
};

it("a credential is that of every revision of its tenant and registry, and of no other", () => {
  const known = new KnownRevisions();
  const [one, two] = [of("acme", "Registry.plant:5000/a:1", "1"), of("acme", "registry.plant:5000/b:2", "2")];
  known.remember(one, credential);
  expect(known.credentialOf(two)).toBe(credential);
  expect(known.credentialOf(of("other", "registry.plant:5000/a:1", "3"))).toBeUndefined();
  expect(known.credentialOf(of("acme", "registry.plant/a:1", "4"))).toBeUndefined();
});

it("a credential goes when a revision of its registry comes without", () => {
  const known = new KnownRevisions();
  const revision = of("acme", "registry.plant:5000/a:1", "1");
  known.remember(revision, credential);
  known.remember(revision, undefined);
  expect(known.credentialOf(revision)).toBeUndefined();
  expect(known.find("1")).toBe(revision);
});
