import { parseImageReference } from "@longshore/protocol";
import { expect, it } from "vitest";
import { imageFacts } from "./image-facts.ts";
import { aliasOf, digestReferenceOf, isAlias } from "./relayed-names.ts";

const digest = `sha256:${"ab".repeat(32)}`;

it.each(["registry.plant:5000/team/app", "docker.io/library/nginx", "localhost:5000/a_b/c.d"])("a tag stands for a digest of %s, and back", (name) => {
  const alias = aliasOf(parseImageReference(name), digest);
  expect(parseImageReference(alias)).toMatchObject({ registry: "longshore.invalid" });
  expect(digestReferenceOf(alias)).toBe(`${name}@${digest}`);
  expect(isAlias(alias)).toBe(true);
});

it.each(["registry.plant:5000/app:sha256-abc", `evil.example/longshore.invalid/app:${digest.replace(":", "-")}`, "longshore.invalid/x/app:1"])("%s stands for nothing", (name) => {
  expect(digestReferenceOf(name)).toBeUndefined();
});

it("an image is told by the digests that its tags stand for, and by no name of ours", () => {
  const alias = aliasOf(parseImageReference("a.plant/app"), digest);
  expect(imageFacts({ Id: "i", RepoTags: ["a.plant/app:1", alias], RepoDigests: [alias.replace(/:sha256-.*/, `@${digest}`)] }).repositoryDigests).toEqual([`a.plant/app@${digest}`]);
});
