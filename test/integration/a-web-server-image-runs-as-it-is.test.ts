import { setTimeout } from "node:timers/promises";
import type { FunctionDocument } from "@longshore/protocol";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { component } from "../support/components.ts";
import { containerOf, linesOf, whileDeployed } from "../support/deployed.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { ensureImage, type ImageContents } from "../support/images/ensure-image.ts";

type Config = ImageContents["config"];

describe("an image", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
  });
  afterAll(() => test.close());

  const ask = async (name: string, path = "/") => (await test.fleet.call(name, undefined, { method: "GET", path })).text();

  describe("of a web server is reached on", () => {
    const files = {
      "/www/cgi-bin/port": { content: "#!/bin/sh\nprintf 'content-type: text/plain\\r\\n\\r\\n%s' \"$PORT\"\n", mode: 0o755 },
    };
    const server = (listen: string, config: Config) => ensureImage("busybox", { files, config: { cmd: ["/bin/sh", "-c", `exec httpd -f -p ${listen} -h /www`], ...config } });
    it.each<[string, string, Config, Partial<FunctionDocument>, string]>([
      ["the port that it exposes and has hard-coded", "9000", { exposed: [9000] }, {}, "9000"],
      ["the port that it reads from PORT", "$PORT", {}, { contract: "http" }, "8080"],
      ["the one of several that the function names", "9090", { exposed: [80, 9090] }, { port: 9090 }, "9090"],
      ["the one that the user names in PORT", "$PORT", { exposed: [80, 9090] }, { env: { PORT: "7000" } }, "7000"],
    ])("%s", async (_, listen, config, changes, port) => {
      const document = component("ports", await server(listen, config), changes);
      expect(await whileDeployed(test, document, (name) => ask(name, "/cgi-bin/port"))).toBe(port);
    });

    it("no port where it exposes several: refused at deploy, naming them", async () => {
      const document = component("ports", await server("80", { exposed: [9090, 80] }));
      await expect(test.fleet.deploy(document)).rejects.toMatchObject({ reason: "ambiguous_port", field: "port", message: expect.stringContaining("80, 9090") as string });
      await expect(test.fleet.deploy({ ...document, port: 80, env: { PORT: "81" } })).rejects.toMatchObject({ reason: "ambiguous_port", field: "port" });
    });
  });

  describe("of a web server", () => {
    const httpd = (script: string, changes: Partial<FunctionDocument> = {}) => ensureImage("busybox", { files: { "/www/index.html": { content: "tide" } }, config: { cmd: ["/bin/sh", "-c", script], exposed: [8080] } }).then((image) => component("server", image, changes));
    const node = (script: string, changes: Partial<FunctionDocument> = {}, config: Config = {}) => ensureImage("node", { files: { "/app/server.mjs": { content: script } }, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080], ...config } }).then((image) => component("server", image, changes));

    it("that forks it, closes its streams and goes on lives as long as its container", async () => {
      await whileDeployed(test, await httpd("httpd -f -p 8080 -h /www > /dev/null 2>&1 & exec >&- 2>&-; wait"), async (name) => {
        const first = await test.fleet.call(name, undefined, { method: "GET" });
        const second = await test.fleet.call(name, undefined, { method: "GET" });
        expect([await first.text(), await second.text(), second.start]).toEqual(["tide", "tide", "warm"]);
      });
    });

    it("that leaves it in the background and exits is told why it does not serve", async () => {
      await whileDeployed(test, await httpd("(sleep 1; exec httpd -f -p 8080 -h /www) & echo gone to the background >&2"), (name) =>
        expect(test.fleet.call(name)).rejects.toMatchObject({ reason: "instance_start_failed", message: expect.stringMatching(/exited with code 0 before it took invocations[^]*gone to the background/) as string }));
    });

    it("that listens on loopback only fails long before its time limit, and is told so", async () => {
      await whileDeployed(test, await httpd("exec httpd -f -p 127.0.0.1:8080 -h /www", { startTimeoutMs: 600_000, timeoutMs: 600_000 }), (name) =>
        expect(test.fleet.call(name, undefined, { timeoutMs: 600_000 })).rejects.toMatchObject({ reason: "instance_start_failed", message: expect.stringMatching(/loopback/) as string }));
    });

    it("that speaks only HTTP/2 is told so", async () => {
      await whileDeployed(test, await node('import { createServer } from "node:http2"; createServer((_, response) => response.end("two")).listen(process.env.PORT);'), (name) =>
        expect(test.fleet.call(name)).rejects.toMatchObject({ reason: "instance_start_failed", message: expect.stringMatching(/HTTP\/2/) as string }));
    });

    it("that answers 503 for a while is called once its probe says that it is ready", async () => {
      const script = `
        import { createServer } from "node:http";
        const readyAt = Date.now() + 6_000;
        let refused = 0;
        createServer((request, response) => {
          if (Date.now() < readyAt) { refused += 1; return void response.writeHead(503).end("not yet"); }
          response.end(request.url === "/ready" ? "" : "refused before: " + (refused > 0));
        }).listen(process.env.PORT);`;
      await whileDeployed(test, await node(script, { startProbePath: "/ready" }), async (name) => {
        const answers = await Promise.all([1, 2, 3].map(() => test.fleet.call(name, undefined, { method: "GET" })));
        expect(await Promise.all(answers.map(async (answer) => `${answer.status} ${await answer.text()}`))).toEqual(Array<string>(3).fill("200 refused before: true"));
      });
    });

    it("that closes idle connections after a while fails no call that comes just then", async () => {
      const script = `import { createServer } from "node:http";
        createServer({ keepAliveTimeout: 2000, keepAliveTimeoutBuffer: 0 }, (request, response) => response.end("tide")).listen(8080);`;
      await whileDeployed(test, await node(script), async (name) => {
        const called = Array.from({ length: 60 }, async (_, lane) => {
          for (let call = 0; call < 6; call += 1) {
            expect((await test.fleet.call(name, "high", { method: "POST" })).status).toBe(200);
            await setTimeout(1996 + ((lane + call) % 10)); // Around the moment at which the server closes: that is what is tried.
          }
        });
        await Promise.all(called);
      });
    });

    it("has its health check switched off, be it fast, never passed or slow", async () => {
      const checks = [["/bin/sh", "-c", "echo checked >> /tmp/checks"], ["/bin/false"]];
      for (const healthcheck of checks) {
        const image = await ensureImage("busybox", { files: { "/www/index.html": { content: "tide" } }, config: { cmd: ["httpd", "-f", "-p", "8080", "-h", "/www"], exposed: [8080], healthcheck } });
        await whileDeployed(test, component("checked", image), async (name) => {
          expect(await ask(name)).toBe("tide");
          const { State, Config } = await (await containerOf(test, name)).inspect();
          expect([State.Health?.Status ?? "none", Config.Healthcheck?.Test]).toEqual(["none", ["NONE"]]);
        });
      }
    });

    /** Says which signals it hears; ends by itself some time after the first. */
    const listener = (endsAfterMs: number) => `
      import { createServer } from "node:http";
      for (const name of ["SIGQUIT", "SIGTERM", "SIGINT"]) process.on(name, () => {
        console.log("heard " + name);
        setTimeout(() => { console.log("ended well"); process.exit(0); }, ${endsAfterMs});
      });
      createServer((_, response) => response.end("up")).listen(process.env.PORT, () => console.log("listens"));`;

    /** Has an instance stopped, as the last use of it is over; tells how it ended, and what it wrote. */
    async function stopped(document: FunctionDocument, linesToCome: number) {
      await test.fleet.deploy(document);
      expect(await ask(document.name)).toBe("up");
      const instance = await containerOf(test, document.name);
      const exit = instance.wait() as Promise<{ StatusCode: number }>;
      await test.fleet.remove(document.name);
      const { StatusCode: exitCode } = await exit;
      const written = () => linesOf(test.fleet.logs(document.name, { agentId: test.agents[0]?.agentId ?? "" }));
      await vi.waitUntil(async () => (await written()).length >= linesToCome, { timeout: 30_000 });
      return { exitCode, lines: await written() };
    }

    it("hears its own stop signal, once, and may use all of its grace, be that longer than any call to the engine", async () => {
      const document = { ...(await node(listener(11_000), { stopGraceMs: 120_000 }, { stopSignal: "SIGQUIT" })), name: "lingering" };
      expect(await stopped(document, 3)).toEqual({ exitCode: 0, lines: ["listens", "heard SIGQUIT", "ended well"] });
    });

    it("that does not end is killed when its grace is over", async () => {
      const document = { ...(await node(listener(2 ** 30), { stopGraceMs: 1_000 }, { stopSignal: "QUIT" })), name: "deaf" };
      expect(await stopped(document, 2)).toEqual({ exitCode: 137, lines: ["listens", "heard SIGQUIT"] });
    });
  });
});
