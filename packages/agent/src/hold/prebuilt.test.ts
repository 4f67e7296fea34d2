import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findHold } from "./executable.ts";

const here = import.meta.dirname;
const builds = [
  { architecture: "x64", engineNames: ["x86_64", "amd64"], machine: 62, compiler: "x86_64-linux-gnu-gcc" },
  { architecture: "arm64", engineNames: ["aarch64", "arm64"], machine: 183, compiler: "aarch64-linux-gnu-gcc" },
];
const prebuilt = (architecture: string) => join(here, "prebuilt", `hold-linux-${architecture}`);

/** The compiler's version, `12.2.0`; undefined where it is not installed. */
function versionOf(compiler: string): string | undefined {
  try {
    return execFileSync(compiler, ["-dumpfullversion"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

const majorOf = (version: string | undefined) => version?.split(".")[0];
const builtWith = /(\d+\.\d+\.\d+)$/m.exec(readFileSync(join(here, "prebuilt/compiler.txt"), "utf8"))?.[1];

/** Type and permissions of each segment that an ELF executable loads. */
function segmentsOf(executable: Buffer): { type: number; canWrite: boolean; canExecute: boolean }[] {
  return Array.from({ length: executable.readUInt16LE(56) }, (_, index) => {
    const header = Number(executable.readBigUInt64LE(32)) + index * executable.readUInt16LE(54);
    const flags = executable.readUInt32LE(header + 4);
    return { type: executable.readUInt32LE(header), canWrite: (flags & 2) !== 0, canExecute: (flags & 1) !== 0 };
  });
}

describe("findHold()", () => {
  it.each(builds)("finds the $architecture executable by every name that engines have for it", ({ architecture, engineNames }) => {
    for (const name of engineNames) expect(findHold(name)).toBe(prebuilt(architecture));
  });

  it.each(["riscv64", "s390x", "x86", "", "constructor", "../x64"])("finds none for %j", (name) => {
    expect(findHold(name)).toBeUndefined();
  });

  it("lets every user of a container execute what a strict umask kept to its owner", () => {
    chmodSync(prebuilt("arm64"), 0o700);
    expect(findHold("arm64")).toBe(prebuilt("arm64"));
    expect(statSync(prebuilt("arm64")).mode & 0o777).toBe(0o755);
  });
});

describe.each(builds)("the $architecture executable", ({ architecture, machine, compiler }) => {
  it("is small, for its processor, and never writable where it can be executed", () => {
    const executable = readFileSync(prebuilt(architecture));
    expect(executable.length).toBeLessThan(9 * 1024);
    expect(executable.readUInt16LE(18)).toBe(machine);
    const loaded = segmentsOf(executable).filter(({ type }) => type === 1);
    expect(loaded.filter(({ canExecute }) => canExecute)).toHaveLength(1);
    expect(segmentsOf(executable).filter(({ canWrite, canExecute }) => canWrite && canExecute)).toEqual([]);
  });

  const version = versionOf(compiler);
  it.skipIf(majorOf(version) !== majorOf(builtWith))(`is what a rebuild gives (needs ${compiler} ${majorOf(builtWith)})`, () => {
    const folder = mkdtempSync(join(tmpdir(), "longshore-hold-build-"));
    try {
      execFileSync(join(here, "build.sh"), [architecture, join(folder, "hold")]);
      expect(readFileSync(join(folder, "hold")).equals(readFileSync(prebuilt(architecture)))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
