import { setTimeout } from "node:timers/promises";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../../test/support/browser.ts";
import { interleave, median, quantile } from "../measure.ts";
import { processorSeconds } from "../process-usage.ts";
import { type BenchResult, compare, format } from "../result.ts";
import type { Rig } from "../rig.ts";

const rounds = 15;
const mostMs = 1_000;
const watchedMs = 10_000;
const watchedRounds = 3;

/** What of a page is waited for, as its own clock tells. */
interface Timed {
  readonly path: string;
  /** Asked in the page, each frame: the milliseconds since the navigation, once it is there. */
  readonly shownAfterMs: () => number | false;
}

const fleetsHosts: Timed = { path: "/console/fleet", shownAfterMs: () => document.querySelectorAll(".host-row:not(.head)").length >= 2 && performance.now() };
const smallPage: Timed = { path: "/healthz", shownAfterMs: () => document.readyState === "complete" && document.body.textContent.includes("ok") && performance.now() };

/**
 * `console`: from the navigation until the fleet's hosts are shown, over loopback and with nothing cached, against the smallest page of the
 * same broker in the same browser; and the processor time of a broker with nothing to do while a console is open, against none, in turns.
 */
export async function consolePage(rig: Rig): Promise<BenchResult> {
  await using browser = await startBrowser([Number(new URL(rig.url).port)]);
  const { page } = browser;
  const seen = await interleave(rounds, { console: () => firstViewMs(browser, rig.url, fleetsHosts), small: () => firstViewMs(browser, rig.url, smallPage) });
  const shares = await interleave(watchedRounds, { open: () => brokerShare(rig, page, `${rig.url}/console/fleet`), none: () => brokerShare(rig, page, "about:blank") });
  const firstMs = median(seen.console);
  const result = compare("console", "ms", seen.console, { "smallest page": seen.small }, { bound: mostMs, better: "lower" }, {
    "90th percentile": `${format(quantile(seen.console, 0.9))} ms`,
    "idle broker": `${format(median(shares.open))} % of a core with a console open, ${format(median(shares.none))} % with none`,
  });
  return { ...result, goal: `< ${mostMs} ms`, met: firstMs < mostMs };
}

/** Milliseconds from the navigation to the first frame in which what is waited for is there, with an empty cache. */
async function firstViewMs({ page }: TestBrowser, url: string, { path, shownAfterMs }: Timed): Promise<number> {
  const devTools = await page.context().newCDPSession(page);
  await page.goto("about:blank");
  await devTools.send("Network.clearBrowserCache");
  await page.goto(`${url}${path}`, { waitUntil: "commit" });
  const shown = await page.waitForFunction(shownAfterMs, undefined, { polling: "raf" });
  await devTools.detach();
  return Number(await shown.jsonValue());
}

/** Per cent of a core that the broker takes while the page is at an address. */
async function brokerShare({ processIds: { broker } }: Rig, page: Page, address: string): Promise<number> {
  await page.goto(address);
  await setTimeout(2_000); // What opening or leaving it costs is not what is measured.
  const before = processorSeconds([broker]);
  await setTimeout(watchedMs);
  return ((processorSeconds([broker]) - before) / watchedMs) * 100_000;
}
