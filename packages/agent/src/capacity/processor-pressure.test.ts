import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readProcessorPressure } from "./processor-pressure.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "longshore-pressure-"))));
afterEach(() => rmSync(folder, { recursive: true }));

it("reads the kernel's own words, each time anew", () => {
  const file = join(folder, "cpu");
  const read = readProcessorPressure(file);
  writeFileSync(file, "some avg10=96.08 avg60=95.41 avg300=79.45 total=39833499181\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  expect(read()).toBe(39_833_499_181);
  writeFileSync(file, "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  expect(read()).toBe(7);
});

it("knows nothing where the kernel says nothing", () => {
  writeFileSync(join(folder, "odd"), "something else\n");
  expect([readProcessorPressure(join(folder, "missing"))(), readProcessorPressure(join(folder, "odd"))()]).toEqual([undefined, undefined]);
});
