import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

/** WCAG 2.2, levels A and AA, as axe-core names them, and what it counts as good practice besides. */
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface Axe {
  run(context: Document, options: object): Promise<{ readonly violations: readonly Violation[]; readonly passes: readonly { readonly id: string }[] }>;
}

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
}

/** What axe-core, which judges by rules that a machine can check, finds in a page. */
export interface Audit {
  /** One line for each place: rule, impact, where, why. */
  readonly faults: readonly string[];
  /** The rules that something on the page kept. */
  readonly kept: readonly string[];
}

/** Has every page that is opened from now on bring axe-core with it, past any policy of the page's own. */
export async function bringAxe(page: Page): Promise<void> {
  await page.addInitScript({ content: readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8") });
}

/** Judges the page as it stands, for a page that {@link bringAxe} was called for. */
export async function auditPage(page: Page): Promise<Audit> {
  return page.evaluate(async (values) => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations, passes } = await axe.run(document, { runOnly: { type: "tag", values }, rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] });
    return {
      faults: violations.flatMap(({ id, impact, nodes }) => nodes.map(({ target, failureSummary = "" }) => `${id} (${impact ?? "?"}) at ${target.join(" ")}: ${failureSummary.replaceAll(/\s+/g, " ").slice(0, 300)}`)),
      kept: passes.map(({ id }) => id),
    };
  }, tags);
}

/** What cannot be read without scrolling sideways (WCAG 1.4.10): how much wider than the window the page is, CSS pixels. */
export async function widthBeyondWindow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** What has the focus, for a person who goes by keyboard. */
export interface Focused {
  /** Its role or tag, and its text, label or value. */
  readonly name: string;
  /** Something is drawn around it (WCAG 2.4.7). */
  readonly isMarked: boolean;
  /** Some of it is seen, and not under something else (WCAG 2.4.11). */
  readonly isSeen: boolean;
}

/** Presses Tab until something named so has the focus; throws what it came by when it is not reached, or is not seen on the way. */
export async function tabTo(page: Page, name: RegExp, most = 80): Promise<Focused> {
  const way: string[] = [];
  for (let step = 0; step < most; step += 1) {
    await page.keyboard.press("Tab");
    const focused = await focusedOf(page);
    way.push(focused.name);
    if (focused.name.startsWith("h1 ")) continue; // A page that has just come gives its heading the focus, which is then not Tab's.
    if (!focused.isMarked || !focused.isSeen) throw new Error(`${focused.name} has the focus, and is ${focused.isSeen ? "not marked" : "not seen"}; before it: ${way.join(", ")}`);
    if (name.test(focused.name)) return focused;
  }
  throw new Error(`Nothing named ${name} is reached by Tab; what is: ${way.join(", ")}`);
}

async function focusedOf(page: Page): Promise<Focused> {
  return page.evaluate(() => {
    const element = document.activeElement ?? document.body;
    const labels = element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement ? [...(element.labels ?? [])].map((label) => label.textContent) : [];
    const said = element.getAttribute("aria-label") ?? (labels.length > 0 ? labels.join(" ") : element.textContent);
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const [x, y] = [(Math.max(0, left) + Math.min(innerWidth, right)) / 2, (Math.max(0, top) + Math.min(innerHeight, bottom)) / 2];
    const points = [[x, y], [x, Math.max(0, top) + 3], [x, Math.min(innerHeight, bottom) - 3]] as const;
    const isSeen = points.some(([atX, atY]) => {
      const there = document.elementFromPoint(atX, atY);
      return there !== null && (element.contains(there) || there.contains(element));
    });
    // At the end of a page the focus leaves it for the browser's own controls.
    const isOutside = element === document.body;
    return { name: `${element.getAttribute("role") ?? element.tagName.toLowerCase()} ${said.trim().slice(0, 80)}`, isMarked: isOutside || (outlineStyle !== "none" && outlineWidth !== "0px"), isSeen: isOutside || isSeen };
  });
}
