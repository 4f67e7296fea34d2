import { describe, expect, it } from "vitest";
import { addressOf, readRoute, sectionOf, titleOf } from "./route.ts";

describe("readRoute()", () => {
  it.each([
    ["/", "", { page: "fleet", query: {} }],
    ["/console", "", { page: "fleet", query: {} }],
    ["/console/fleet", "?q=gpu&site=plant", { page: "fleet", query: { q: "gpu", site: "plant" } }],
    ["/console/fleet/plant-1", "", { page: "host", agentId: "plant-1", query: {} }],
    ["/console/functions/", "", { page: "functions", query: {} }],
    ["/console/functions/hello", "", { page: "function", name: "hello", tab: "overview", query: {} }],
    ["/console/functions/new/try", "?of=1", { page: "function", name: "new", tab: "try", query: { of: "1" } }],
    ["/console/invocations/abc", "", { page: "invocation", invocationId: "abc", query: {} }],
    ["/console/work/dead-letters", "", { page: "work", tab: "dead-letters", query: {} }],
    ["/console/deploy", "", { page: "deploy", query: {} }],
    ["/console/fleet/%zz", "", { page: "host", agentId: "%zz", query: {} }],
  ])("reads %s%s", (path, search, route) => {
    expect(readRoute(path, search)).toEqual(route);
  });

  it.each(["/console/nothing", "/elsewhere", "/console/functions/a/b", "/console/fleet/a/b", "/console/work/x", "/console/functions/a/try/b"])("knows that %s leads nowhere", (path) => {
    expect(readRoute(path, "").page).toBe("nowhere");
  });
});

describe("addressOf()", () => {
  it("is read as what it was made of, whatever is in it", () => {
    const address = addressOf(["functions", "a/b ?<"], { q: "x&y=<b>", none: undefined, empty: "" });
    const [path = "", search = ""] = address.split("?");
    expect(readRoute(path, `?${search}`)).toEqual({ page: "function", name: "a/b ?<", tab: "overview", query: { q: "x&y=<b>" } });
    expect(addressOf(["fleet"])).toBe("/console/fleet");
  });

  it("belongs to a part of the menu", () => {
    expect([sectionOf(readRoute("/", "")), sectionOf(readRoute("/console/deploy", "")), sectionOf(readRoute("/x", ""))]).toEqual(["fleet", "functions", undefined]);
  });
});

describe("titleOf()", () => {
  it.each([["/", "Fleet · Longshore"], ["/console/functions/tide/logs", "logs · tide · Functions · Longshore"], ["/console/functions/%E2%80%AEgpj", "⟨U+202E⟩gpj · Functions · Longshore"]])("of %s names the narrowest part first, and hides nothing", (path, title) => {
    expect(titleOf(path)).toBe(title);
  });
});
