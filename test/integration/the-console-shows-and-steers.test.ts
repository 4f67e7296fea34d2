import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { consoleBundle, watchForSlips } from "../support/console-pages.ts";
import { CuttableLink } from "../support/cuttable-link.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";

/** What a hostile function writes: markup, an escape sequence, a right-to-left override. */
const hostile = "<img src=x onerror=\"document.title='stolen'\"><b>bold</b> \\033[31mred \\342\\200\\256gpj.exe";
const broken = `cat >/dev/null; printf 'no tide table for today\\n${hostile}\\n' >&2; exit 3`;
const mended = `printf 'high at '; cat; printf 'told the tide\\n' >&2`;

describe("the console of a fleet of two sites", () => {
  let test: TestFleet;
  let browser: TestBrowser;
  let page: Page;
  let slips: () => readonly string[];
  /** The way from the browser to the broker, which can be cut. */
  let link: CuttableLink;
  let url: string;
  beforeAll(async () => {
    test = await startFleet({ broker: { consoleFolder: consoleBundle } });
    await test.fleet.deploy(await laboratoryFunction("lab", { startTimeoutMs: 120_000 }));
    for (const { siteId } of test.agents) await test.fleet.call("lab", undefined, { where: { site: siteId } }).then((answer) => answer.result);
    link = await CuttableLink.to(Number(new URL(test.url).port));
    url = `http://127.0.0.1:${link.port}`;
    browser = await startBrowser([link.port]);
    page = browser.page;
    page.setDefaultTimeout(20_000);
    slips = watchForSlips(page, url);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
    await test.close();
  });

  const open = (path: string) => page.goto(`${url}${path}`);
  const main = () => page.locator("main");

  it("shows at the broker's address which hosts are there", async () => {
    await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    for (const { agentId } of test.agents) await main().getByText(agentId).first().waitFor();
    await main().getByText("2 / 2").waitFor();
  });

  it("deploys, tries, watches it fail, finds it and its log, mends it and runs it again", async () => {
    const { image, args: _, ...rest } = await shellFunction("tide", broken);
    await open("/console/deploy");
    await page.getByLabel("Name", { exact: true }).fill("tide");
    await page.getByLabel("Image", { exact: true }).fill(image);
    await page.getByLabel("Contract").selectOption("stdio");
    await page.getByLabel("Memory, MiB").fill(String(Number(rest.memoryBytes) / 2 ** 20));
    await page.getByText("Anything else").click();
    await page.getByLabel("As JSON").fill(JSON.stringify({ args: [broken] }));
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    await page.getByRole("heading", { name: "tide", level: 1 }).waitFor();

    await page.getByRole("link", { name: "Try it" }).first().click();
    await page.getByLabel("Body").fill("noon");
    await page.getByRole("button", { name: /^Send/ }).click();
    await main().getByText("failed", { exact: true }).first().waitFor();

    await page.getByRole("link", { name: "Invocations", exact: true }).click();
    await page.getByLabel("Outcome").selectOption("troubled");
    await main().getByRole("link", { name: /tide/ }).first().click();
    const evidence = main().getByLabel("What went wrong");
    await evidence.getByText("no tide table for today").waitFor();
    await evidence.getByText("The program exited with code 3").waitFor();
    await main().getByRole("list", { name: "Lines" }).getByText("no tide table for today").waitFor();
    const failedAt = new URL(page.url()).pathname;

    await open("/console/deploy?of=tide");
    await page.getByLabel("As JSON").waitFor();
    await expect.poll(() => page.getByLabel("As JSON").inputValue()).toContain("no tide table");
    await page.getByLabel("As JSON").fill(JSON.stringify({ args: [mended] }));
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    await page.getByRole("heading", { name: "tide", level: 1 }).waitFor();
    await expect.poll(async () => (await test.fleet.get("tide")).revision).toBe(2);

    await page.getByRole("link", { name: "Try it" }).first().click();
    await page.getByLabel("Body").fill("noon");
    await page.getByRole("button", { name: /^Send/ }).click();
    await main().getByText("high at noon").waitFor();
    await page.getByRole("link", { name: "Look at the invocation" }).click();
    await page.getByRole("button", { name: "Run again" }).click();
    await expect.poll(() => new URL(page.url()).pathname).not.toBe(failedAt);
    await main().getByText("succeeded").first().waitFor();
    await main().getByRole("list", { name: /^Its life/ }).getByText("Run", { exact: true }).waitFor();
  });

  it("shows what a function writes as text that does nothing", async () => {
    await open("/console/logs?function=tide");
    const lines = main().getByRole("list", { name: "Lines" });
    await lines.getByText("<img src=x").first().waitFor();
    expect(await main().locator("img, b").count()).toBe(0);
    expect(await lines.locator(".mark", { hasText: "U+202E" }).count()).toBeGreaterThan(0);
    expect(await lines.locator(".mark", { hasText: "ESC" }).count()).toBeGreaterThan(0);
    expect(await page.title()).not.toContain("stolen");
    await page.goto(`${url}/console/functions/%3Cimg%20src=x%20onerror=alert(1)%3E?q=%3Cscript%3E`);
    await main().getByText("<img src=x onerror=alert(1)>").first().waitFor();
    expect(await main().locator("img, script").count()).toBe(0);
  });

  it("drains a host while calls go on, and none of them fails", async () => {
    const [drained] = test.agents;
    let isOver = false;
    const calling = (async () => {
      const ended: unknown[] = [];
      while (!isOver) ended.push(await (await test.fleet.call("lab", undefined, { path: "/slow?ms=20" })).result);
      return ended;
    })();
    await open(`/console/fleet/${drained!.agentId}`);
    await page.getByRole("button", { name: "Drain" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Drain" }).click();
    await main().getByText("draining").or(main().getByText("cordoned")).first().waitFor();
    await page.getByRole("button", { name: "Uncordon" }).click();
    await main().getByText("ready", { exact: true }).first().waitFor();
    isOver = true;
    expect(new Set((await calling).map((result) => (result as { outcome: string }).outcome))).toEqual(new Set(["succeeded"]));
  });

  it("says when the broker is out of reach, and heals by itself", async () => {
    await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    link.cut();
    await page.getByText("The broker is out of reach.").waitFor();
    await main().getByText(test.agents[0]!.agentId).first().waitFor(); // What was known stays to be seen.
    link.heal();
    await page.getByText("Live", { exact: true }).waitFor();
  });

  it("is reached by keyboard", async () => {
    await open("/console/fleet");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.getByRole("heading", { name: "Invocations", level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("tide");
    await page.getByRole("dialog").getByRole("option", { name: "tide" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "tide", level: 1 }).waitFor();
  });

  it("never asked anybody but its broker, and never ran against its policy", () => {
    expect(slips()).toEqual([]);
  });
});
