/** What one look at a host found. */
export interface Finding {
  readonly name: string;
  /** `warn`: it works, but not everything or not for everybody. `fail`: agents or the fleet will not run here. */
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
  /** How to mend it; with `warn` and `fail` only. */
  readonly mend?: string;
}

export const ok = (name: string, found: string): Finding => ({ name, status: "ok", found });
export const warn = (name: string, found: string, mend: string): Finding => ({ name, status: "warn", found, mend });
export const fail = (name: string, found: string, mend: string): Finding => ({ name, status: "fail", found, mend });

/** Reads the first version in a text, as `[20, 10]`; undefined when there is none. */
export function readVersion(text: string): readonly [major: number, minor: number] | undefined {
  const match = /(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

/** Whether a version is at least another. */
export function isAtLeast([major, minor]: readonly [number, number], [leastMajor, leastMinor]: readonly [number, number]): boolean {
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
