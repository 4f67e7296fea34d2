import { expect, it } from "vitest";
import { readChallenge, withRealm } from "./challenge.ts";

const bearer = 'Bearer realm="https://auth.plant/token?x=1",service="registry.plant",scope="repository:team/app:pull,push"';

it("reads how a registry wants to be asked", () => {
  expect(readChallenge('Basic realm="plant"')).toEqual({ scheme: "basic" });
  expect(readChallenge(bearer)).toEqual({ scheme: "bearer", realm: "https://auth.plant/token?x=1", parameters: { service: "registry.plant", scope: "repository:team/app:pull,push" } });
  for (const other of [undefined, "", "Negotiate abc", 'Bearer service="x"']) expect(readChallenge(other)).toBeUndefined();
});

it("puts another realm into the field and changes nothing else", () => {
  expect(withRealm(bearer, "http://127.0.0.1:1/realm/0")).toBe('Bearer realm="http://127.0.0.1:1/realm/0",service="registry.plant",scope="repository:team/app:pull,push"');
});
