import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditPage, bringAxe, tabTo, widthBeyondWindow } from "../support/accessibility.ts";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { type BusyFleet, startBusyFleet, startLoad } from "../support/busy-fleet.ts";
import { consoleBundle, type ConsoleScreen, takePictures } from "../support/console-pages.ts";
import { CuttableLink } from "../support/cuttable-link.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";

const sizes = [[1440, 900], [375, 812]] as const;
const colours = ["light", "dark"] as const;

/** A screen, and what is done on it before it is looked at. */
interface AuditedScreen extends ConsoleScreen {
  readonly then?: () => Promise<unknown>;
}

describe("the console, audited by axe-core for WCAG 2.2 A and AA,", () => {
  let busy: BusyFleet;
  /** A fleet of no hosts that wants a key. */
  let bare: TestFleet;
  let browser: TestBrowser;
  let page: Page;
  let link: CuttableLink;
  let url: string;
  let bareUrl: string;
  beforeAll(async () => {
    busy = await startBusyFleet();
    bare = await startFleet({ sites: [], broker: { consoleFolder: consoleBundle, listen: "0.0.0.0:0", insecure: true } });
    link = await CuttableLink.to(Number(new URL(busy.test.url).port));
    url = `http://127.0.0.1:${link.port}`;
    bareUrl = `http://127.0.0.1:${new URL(bare.url).port}`;
    browser = await startBrowser([link.port, Number(new URL(bare.url).port)]);
    page = browser.page;
    page.setDefaultTimeout(30_000);
    await bringAxe(page);
  }, 400_000);
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
    await bare.close();
    await busy[Symbol.asyncDispose]();
  });

  /** Opens each screen in each size, and has it judged in each colour; `rule at element` of what is wrong, by screen. */
  async function faultsOf(base: string, screens: readonly AuditedScreen[]): Promise<Readonly<Record<string, readonly string[]>>> {
    const found: Record<string, readonly string[]> = {};
    for (const [width, height] of sizes) {
      await page.setViewportSize({ width, height });
      for (const { name, path, shows, then } of screens) {
        await page.goto(`${base}${path}`);
        await page.getByText(shows).filter({ visible: true }).first().waitFor();
        await then?.();
        const beyond = await widthBeyondWindow(page);
        if (beyond > 0) found[`${name}, ${width} px wide`] = [`is ${beyond} px wider than the window`];
        for (const colorScheme of colours) {
          await page.emulateMedia({ colorScheme });
          const { faults, kept } = await auditPage(page);
          if (faults.length > 0) found[`${name}, ${width} px wide, ${colorScheme}`] = faults;
          expect(kept, "the audit judges something").toContain("color-contrast");
        }
      }
    }
    return found;
  }

  it("has no fault on any screen of a fleet that works", async () => {
    const { shown, test } = busy;
    const press = (name: string) => page.locator("main").getByRole("button", { name }).first().click();
    const dialog = () => page.getByRole("dialog").first().waitFor();
    expect(await faultsOf(url, [
      { name: "fleet", path: "/", shows: "Hosts by site" },
      { name: "hosts found", path: "/console/fleet?q=cloud&state=ready", shows: "Hosts by site" },
      { name: "no host found", path: "/console/fleet?q=none-is-called-so", shows: "No host is like that" },
      { name: "host", path: `/console/fleet/${test.agents[0]!.agentId}`, shows: "Latest here" },
      { name: "cordoned host", path: `/console/fleet/${test.agents[2]!.agentId}`, shows: "Uncordon" },
      { name: "a question", path: `/console/fleet/${test.agents[0]!.agentId}`, shows: "Latest here", then: () => press("Drain").then(dialog) },
      { name: "no such host", path: "/console/fleet/nobody", shows: "No such host" },
      { name: "functions", path: "/console/functions", shows: "nightly-report" },
      { name: "function", path: "/console/functions/checkout", shows: "Where it is now", then: () => page.getByText("succeeded").nth(1).waitFor() },
      { name: "no such function", path: "/console/functions/nothing", shows: "No function of that name" },
      { name: "revisions", path: "/console/functions/tide/revisions", shows: "Roll back to this" },
      { name: "function's logs", path: "/console/functions/tide/logs", shows: "told the tide" },
      { name: "try", path: "/console/functions/tide/try", shows: "Answer" },
      { name: "tried", path: "/console/functions/tide/try", shows: "Answer", then: () => press("Send").then(() => page.getByText("high tide at").first().waitFor()) },
      { name: "deploy", path: "/console/deploy", shows: "Environment" },
      { name: "deploy refused", path: "/console/deploy", shows: "Environment", then: () => press("Deploy").then(() => page.getByText("Is missing").first().waitFor()) },
      { name: "deploy a change", path: "/console/deploy?of=thumbnail", shows: "Environment", then: () => expect.poll(() => page.getByLabel("Environment").inputValue()).toContain("QUALITY") },
      { name: "invocations past", path: "/console/invocations", shows: "checkout" },
      { name: "invocations live", path: "/console/invocations", shows: "checkout", then: () => endsWhileWatched() },
      { name: "invocations in trouble", path: "/console/invocations?outcome=troubled", shows: "failed" },
      { name: "no such invocations", path: "/console/invocations?function=tide&outcome=lost", shows: "None is like that" },
      { name: "invocation", path: `/console/invocations/${shown.succeeded}`, shows: "Where it ran" },
      { name: "failed invocation", path: `/console/invocations/${shown.failed}`, shows: "The end of its stderr" },
      { name: "dead letter", path: `/console/invocations/${shown.retried}`, shows: "Attempts before" },
      { name: "invocation under way", path: `/console/invocations/${shown.running}`, shows: "Its life so far" },
      { name: "invocation that waits", path: `/console/invocations/${shown.waiting}`, shows: "Its life so far" },
      { name: "no such invocation", path: "/console/invocations/0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", shows: "It cannot be shown" },
      { name: "accepted work", path: "/console/work", shows: "Not ended yet" },
      { name: "dead letters", path: "/console/work/dead-letters?function=ledger", shows: "Submit again" },
      { name: "schedules", path: "/console/work/schedules", shows: "month-end" },
      { name: "logs of none", path: "/console/logs", shows: "Whose lines?" },
      { name: "logs", path: "/console/logs?function=ledger", shows: "no entry of that number" },
      { name: "lines found", path: "/console/logs?function=ledger&find=entry&stream=stderr", shows: "of that number" },
      { name: "a whole line", path: "/console/logs?function=ledger", shows: "no entry of that number", then: () => press("Show the whole line").then(dialog) },
      { name: "nowhere", path: "/console/nowhere/at/all", shows: "This address leads nowhere" },
      { name: "a place to jump from", path: "/console/functions", shows: "nightly-report", then: () => page.keyboard.press("Control+k").then(() => page.keyboard.type("t")).then(dialog) },
      { name: "nothing to jump to", path: "/console/functions", shows: "nightly-report", then: () => page.keyboard.press("Control+k").then(() => page.keyboard.type("no such thing")).then(dialog) },
      { name: "keys", path: "/console/functions", shows: "nightly-report", then: () => page.keyboard.press("?").then(dialog) },
    ])).toEqual({});
  }, 1_200_000);

  async function endsWhileWatched(): Promise<void> {
    await page.getByText("Live", { exact: true }).waitFor();
    const { invocationId } = await busy.test.fleet.enqueue("tide", "now");
    await page.locator(`main a[href$="${invocationId}"]`).waitFor();
  }

  it("has no fault where there is nothing yet, or a key is asked for", async () => {
    const unlock = async () => {
      await page.getByLabel("API key").fill("lsk_wrong");
      await page.getByRole("button", { name: "Open" }).click();
      await page.getByRole("alert").waitFor();
    };
    const locked = await faultsOf(bareUrl, [{ name: "locked", path: "/", shows: "This fleet wants a key" }, { name: "refused key", path: "/", shows: "This fleet wants a key", then: unlock }]);
    await page.getByLabel("API key").fill(bare.apiKey!);
    await page.getByText("Keep it in this tab for 8 hours").click();
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("No host has joined yet").waitFor();
    expect({ ...locked, ...(await faultsOf(bareUrl, [
      { name: "no host", path: "/", shows: "No host has joined yet" },
      { name: "no function", path: "/console/functions", shows: "No function is deployed yet" },
      { name: "no invocation", path: "/console/invocations", shows: "Nothing was called yet" },
      { name: "no work", path: "/console/work", shows: "Nothing waits" },
      { name: "no dead letter", path: "/console/work/dead-letters", shows: "No dead letters" },
      { name: "no schedule", path: "/console/work/schedules", shows: "Nothing is scheduled" },
      { name: "no logs", path: "/console/logs", shows: "No function is deployed yet" },
    ])) }).toEqual({});
  }, 400_000);

  it("has no fault while the broker is out of reach", async () => {
    const cut = async () => {
      await page.getByText("Live", { exact: true }).waitFor();
      link.cut();
      await page.getByText("The broker is out of reach.").waitFor();
    };
    const found = [];
    for (const size of sizes) {
      await page.setViewportSize({ width: size[0], height: size[1] });
      await page.goto(`${url}/console/fleet`);
      await cut();
      for (const colorScheme of colours) {
        await page.emulateMedia({ colorScheme });
        found.push(...(await auditPage(page)).faults);
      }
      link.heal();
      await page.getByText("Live", { exact: true }).waitFor();
    }
    expect(found).toEqual([]);
  });

  it("is worked by keyboard alone: what is in trouble found, a call sent, a host drained and brought back", async () => {
    const { agentId } = busy.test.agents[0]!;
    await page.emulateMedia({ colorScheme: null });
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto(`${url}/console/invocations`);
    await page.locator("select option", { hasText: "ledger" }).waitFor({ state: "attached" });
    const asked = (name: string) => new URL(page.url()).searchParams.get(name);
    await tabTo(page, /^select Function/);
    await page.keyboard.type("ledger"); // Others fail too, more often the longer the load has lasted.
    await expect.poll(() => asked("function")).toBe("ledger");
    await tabTo(page, /^select Outcome/);
    await page.keyboard.type("in"); // Trouble: no other choice begins so.
    await expect.poll(() => asked("outcome")).toBe("troubled");
    await tabTo(page, /^a .*failed/);
    await page.keyboard.press("Enter");
    await page.getByText("The end of its stderr").waitFor();

    await page.goto(`${url}/console/functions/tide/try`);
    await page.getByText("Answer").first().waitFor();
    await tabTo(page, /^textarea Body/);
    await page.keyboard.type("midnight");
    await tabTo(page, /^button Send/);
    await page.keyboard.press("Enter");
    await page.getByText("high tide at midnight").waitFor();

    await page.goto(`${url}/console/fleet`);
    await page.getByText(agentId).first().waitFor();
    await tabTo(page, new RegExp(`^a ${agentId}`));
    await page.keyboard.press("Enter");
    await tabTo(page, /^button Drain/);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByText(`Drain ${agentId}?`).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Drain"); // Back where one was.
    await page.keyboard.press("Enter");
    await tabTo(page, /^button Drain/);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Uncordon" }).waitFor();
    await tabTo(page, /^button Uncordon/);
    await page.keyboard.press("Enter");
    await page.locator("main").getByText("ready", { exact: true }).first().waitFor();
  });

  it("would be found out with a label less, a faint text, a small button", async () => {
    await page.goto(`${url}/console/functions/tide/try`);
    await page.getByText("Answer").first().waitFor();
    await page.evaluate(() => {
      document.querySelector("main textarea")?.parentElement?.querySelector("label")?.remove();
      document.querySelector<HTMLElement>("main h2")!.style.color = "#c8d2d2";
      const buttons = document.querySelectorAll<HTMLElement>(".tabs a");
      for (const button of buttons) Object.assign(button.style, { padding: "0", width: "12px", overflow: "hidden" });
    });
    await page.emulateMedia({ colorScheme: "light" });
    const { faults } = await auditPage(page);
    for (const rule of ["label ", "color-contrast ", "target-size "]) expect(faults.filter((fault) => fault.startsWith(rule)), rule).not.toEqual([]);
  });

  it("looks as its pictures show, under load, light and dark, wide and as on a phone", async () => {
    const { shown, test } = busy;
    const load = startLoad(test.fleet);
    try {
      await takePictures(page, url, [
        { name: "fleet", path: "/console/fleet", shows: "Hosts by site" },
        { name: "host", path: `/console/fleet/${test.agents[1]!.agentId}`, shows: "Latest here" },
        { name: "functions", path: "/console/functions", shows: "tide" },
        { name: "function", path: "/console/functions/checkout", shows: "Over time" },
        { name: "try", path: "/console/functions/tide/try", shows: "Answer" },
        { name: "revisions", path: "/console/functions/tide/revisions", shows: "Roll back to this" },
        { name: "deploy", path: "/console/deploy?of=thumbnail", shows: "Environment" },
        { name: "invocations", path: "/console/invocations", shows: "shown, newest first" },
        { name: "in-trouble", path: "/console/invocations?outcome=troubled", shows: "shown, newest first" },
        { name: "invocation", path: `/console/invocations/${shown.succeeded}`, shows: "Its life" },
        { name: "failed", path: `/console/invocations/${shown.failed}`, shows: "Its life" },
        { name: "retried", path: `/console/invocations/${shown.retried}`, shows: "Attempts before" },
        { name: "running", path: `/console/invocations/${shown.running}`, shows: "Its life so far" },
        { name: "queue", path: "/console/work", shows: "Not ended yet" },
        { name: "dead-letters", path: "/console/work/dead-letters", shows: "Submit again" },
        { name: "schedules", path: "/console/work/schedules", shows: "month-end" },
        { name: "logs", path: "/console/logs?function=checkout", shows: "closed" },
      ], "two-sites");
    } finally {
      await load.stop();
    }
  }, 600_000);
});
