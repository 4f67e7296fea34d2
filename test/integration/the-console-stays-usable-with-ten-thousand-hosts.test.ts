import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { takePictures, watchForSlips } from "../support/console-pages.ts";
import { type ConsoleStage, startConsoleStage } from "../support/console-stage.ts";

const hosts = 10_000;

describe("the console of a fleet of 10,000 hosts under load", () => {
  let stage: ConsoleStage;
  let browser: TestBrowser;
  let page: Page;
  let url: string;
  let slips: () => readonly string[];
  beforeAll(async () => {
    stage = await startConsoleStage(hosts, 100, 200);
    url = `http://127.0.0.1:${stage.port}`;
    browser = await startBrowser([stage.port]);
    page = browser.page;
    page.setDefaultTimeout(30_000);
    slips = watchForSlips(page, url);
    await page.goto(url);
    await page.getByText("Live", { exact: true }).waitFor();
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
  });

  it("has all of them in its list, and only those on the page that are seen", async () => {
    const list = page.getByRole("list", { name: "Hosts" });
    await expect.poll(() => list.getByRole("listitem").first().getAttribute("aria-setsize")).toBe(String(hosts + 100));
    expect(await list.getByRole("listitem").count()).toBeLessThan(80);
    await list.evaluate((element) => { element.scrollTop = element.scrollHeight; });
    await list.getByText("site-099-host-09999").waitFor();
  });

  it("finds one among them while they beat, and shows it change", async () => {
    const wanted = "site-042-host-04242";
    await page.keyboard.press("/");
    await page.keyboard.type("04242");
    await page.getByRole("list", { name: "Hosts" }).getByText(wanted).waitFor();
    expect(new URL(page.url()).search).toBe("?q=04242");
    stage.change(wanted, { state: "draining" });
    await page.getByRole("region", { name: "What changed" }).getByText(wanted).waitFor();
    await page.getByRole("list", { name: "Hosts" }).getByText(wanted).click();
    await page.getByRole("heading", { name: new RegExp(wanted), level: 1 }).waitFor();
  });

  it("makes no more of a page than what is seen, however many hosts beat and calls end", async () => {
    const nodes = () => page.evaluate(() => document.querySelectorAll("*").length);
    await page.goto(`${url}/console/fleet`);
    await page.getByText("Live", { exact: true }).waitFor();
    const list = page.getByRole("list", { name: "Hosts" });
    await list.getByText("site-000-host-00000").waitFor();
    for (const share of [0, 0.3, 0.7, 1]) {
      await list.evaluate((element, at) => { element.scrollTop = element.scrollHeight * at; }, share);
      await expect.poll(() => list.getByRole("listitem").first().getAttribute("aria-posinset")).toSatisfy((first) => Math.abs(Number(first) / (hosts + 100) - share) < 0.02);
      expect(await list.getByRole("listitem").count()).toBeLessThan(80);
    }
    expect(await nodes()).toBeLessThan(4_000);
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.getByRole("heading", { name: "Invocations", level: 1 }).waitFor();
    const ended = page.getByRole("list", { name: /newest first/ });
    await ended.getByText("failed").first().waitFor();
    const newest = () => ended.getByRole("listitem").first().textContent();
    const before = await newest();
    await expect.poll(newest).not.toBe(before); // More end while one looks.
    expect(await ended.getByRole("listitem").count()).toBeLessThan(80);
    expect(await nodes()).toBeLessThan(4_000);
  });

  it("looks as its pictures show", async () => {
    await takePictures(page, url, [
      { name: "fleet", path: "/console/fleet", shows: "Hosts by site" },
      { name: "functions", path: "/console/functions", shows: "checkout" },
      { name: "function", path: "/console/functions/checkout", shows: "Over time" },
      { name: "invocations", path: "/console/invocations", shows: "shown, newest first" },
    ], "ten-thousand");
    expect(slips()).toEqual([]);
  }, 180_000);
});
