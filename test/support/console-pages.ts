import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";

/** Where pictures of the console go, for a person to look through. */
export const picturesFolder = join(import.meta.dirname, "../../.cache/pictures/console");

/** The console's bundle, as set-up made it. */
export const consoleBundle = join(import.meta.dirname, "../../packages/console/dist");

/** A screen and what stands on it once it is all there. */
export interface ConsoleScreen {
  readonly name: string;
  readonly path: string;
  /** Text that tells that it is there. */
  readonly shows: string | RegExp;
}

/** Takes a picture of each screen in each colour, wide and as on a phone; what could not be shown fails. */
export async function takePictures(page: Page, url: string, screens: readonly ConsoleScreen[], prefix: string): Promise<void> {
  mkdirSync(picturesFolder, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height, size] of [[1440, 900, "wide"], [390, 844, "phone"]] as const) {
      await page.setViewportSize({ width, height });
      for (const { name, path, shows } of screens) {
        await page.goto(`${url}${path}`);
        await page.waitForLoadState("networkidle", { timeout: 2_500 }).catch(() => undefined); // A page that follows something is never idle.
        await page.locator("main").getByText(shows).filter({ visible: true }).first().waitFor();
        await page.getByText("Live", { exact: true }).waitFor();
        await page.screenshot({ path: join(picturesFolder, `${prefix}-${name}-${colorScheme}-${size}.png`), fullPage: size === "wide" });
      }
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** What a page did that a console must not: requests elsewhere, breaches of its policy, errors that nobody caught. */
export function watchForSlips(page: Page, url: string): () => readonly string[] {
  const slips: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) slips.push(`asked ${request.url()}`);
  });
  page.on("pageerror", (error) => slips.push(`threw ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Trusted/i.test(message.text())) slips.push(message.text());
  });
  return () => slips;
}
