import { afterEach, describe, expect, it } from "vitest";
import { goodKey, type HttpRig, startHttpRig } from "./testing/http-rig.ts";

const page = "https://app.example";
const preflight = { "origin": page, "access-control-request-method": "POST", "access-control-request-headers": "authorization,x-one" };
const invocations = "/v1/functions/x/invocations";

let rig: HttpRig;
const start = async (options: Parameters<typeof startHttpRig>[1] = { allowedOrigins: [page] }) => {
  rig = await startHttpRig(
    {
      x: (invocation) => {
        invocation.complete("hi", { status: 200, headers: [["Access-Control-Allow-Origin", "https://its.own"], ["X-Method", invocation.request.request.method], ["Vary", "Accept"]], result: { outcome: "succeeded", status: 200 } });
      },
    },
    options,
  );
};
afterEach(() => rig.close());

describe("a page of an allowed origin", () => {
  it("may ask the API: a preflight needs no key and names the path's methods and the headers asked for", async () => {
    await start({ allowedOrigins: ["https://other.example", page], trustsLoopback: false });
    const answer = await rig.send({ method: "OPTIONS", path: "/v1/functions/x", headers: preflight });
    expect(answer).toMatchObject({ status: 204, headers: { "access-control-allow-origin": page, "access-control-allow-methods": "PUT, GET, DELETE", "access-control-allow-headers": "authorization,x-one", "access-control-max-age": "600" } });
    expect(answer.headers.vary).toBe("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    expect(rig.invoker.invocations).toHaveLength(0);
  });

  it("may read answers, errors among them, and where a call ran", async () => {
    await start({ allowedOrigins: [page], trustsLoopback: false });
    const headers = { origin: page, authorization: `Bearer ${goodKey}` };
    const answers = [await rig.send({ method: "POST", path: invocations, headers }), await rig.send({ path: "/v1/nothing", headers }), await rig.send({ method: "POST", path: invocations, headers: { origin: page } })];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 401]);
    for (const answer of answers.slice(1)) expect(answer.headers).toMatchObject({ "access-control-allow-origin": page, "vary": "Origin" });
    expect(answers[0]?.headers.vary).toBe("Accept, Origin"); // A shared cache must not give one origin's answer to another.
    expect(answers[0]?.headers["access-control-expose-headers"]).toContain("longshore-invocation-id");
  });

  it("is told by the broker who may read a call's answer, not by the function, where it calls the API", async () => {
    await start();
    const answer = await rig.send({ method: "POST", path: invocations, headers: { origin: page } });
    expect(answer.rawHeaders.filter((_, index, all) => all[index - 1]?.toLowerCase() === "access-control-allow-origin")).toEqual([page]);
  });

  it("asks for no headers that are none, and for no path that is none", async () => {
    await start();
    const odd = await rig.send({ method: "OPTIONS", path: invocations, headers: { ...preflight, "access-control-request-headers": "x;y" } });
    expect([odd.status, odd.headers["access-control-allow-headers"]]).toEqual([204, undefined]);
    expect((await rig.send({ method: "OPTIONS", path: "/v1/nothing", headers: preflight })).status).toBe(404);
    expect((await rig.send({ method: "OPTIONS", path: invocations, headers: { origin: page } })).json()).toMatchObject({ reason: "method_not_allowed" });
  });
});

describe("a page of another origin", () => {
  it("is not let in, with a key or without, and no cache may take its answer for another's", async () => {
    await start();
    for (const headers of [{ ...preflight, origin: "https://evil.example" }, { ...preflight, origin: "null" }, { ...preflight, origin: `${page}.evil.example` }]) {
      for (const method of ["OPTIONS", "POST"]) {
        const answer = await rig.send({ method, path: invocations, headers: { ...headers, authorization: `Bearer ${goodKey}` } });
        expect(answer.headers["access-control-allow-methods"]).toBeUndefined();
        expect(answer.headers["access-control-allow-origin"]).not.toBe(headers.origin);
        expect(answer.headers.vary).toMatch(/\bOrigin$/);
      }
    }
  });

  it("finds no word of it where no origin is allowed", async () => {
    await start({});
    const answer = await rig.send({ method: "OPTIONS", path: invocations, headers: preflight });
    expect([answer.status, answer.headers["access-control-allow-origin"], answer.headers.vary]).toEqual([405, undefined, undefined]);
  });
});

describe("at a function URL", () => {
  it("the function speaks for itself: OPTIONS and its fields pass as they are", async () => {
    await start();
    const answer = await rig.send({ method: "OPTIONS", path: "/f/x/", headers: preflight });
    expect(answer).toMatchObject({ status: 200, headers: { "access-control-allow-origin": "https://its.own", "x-method": "OPTIONS" } });
    expect(answer.headers.vary).toBe("Accept");
  });
});
