/**
 * Local times are kept as if they were UTC: `Date.UTC(2026, 9, 25, 2, 30)` is 02:30 on 25 October, wherever. What a zone's clocks show
 * at an instant, and when they show it, is told by {@link Zone}.
 */
export interface Zone {
  /** What its clocks show at an instant. */
  localOf(instantMs: number): number;
  /** When its clocks show that first. Where they never do, `skipped`: the instant at which they pass over it. */
  instantOf(localMs: number): { readonly instantMs: number; readonly skipped: boolean };
  /** The first instant in (fromMs, toMs] at which its clocks are set; undefined: they are not, or twice in opposite directions. */
  shiftWithin(fromMs: number, toMs: number): number | undefined;
}

/** No zone is further from UTC than that, nor sets its clocks twice within it. */
const farMs = 24 * 3_600_000;
const zones = new Map<string, Zone>();
/** More than there are; a name may be spelled in many ways. */
const maxZones = 1_000;

/** The zone of that IANA name; the name has been checked. */
export function zoneNamed(name: string): Zone {
  const known = zones.get(name) ?? new IntlZone(name);
  if (zones.size >= maxZones) zones.clear();
  zones.set(name, known);
  return known;
}

class IntlZone implements Zone {
  readonly #format: Intl.DateTimeFormat;

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  }

  localOf(instantMs: number): number {
    return instantMs + this.#offsetMs(instantMs);
  }

  instantOf(localMs: number): { instantMs: number; skipped: boolean } {
    const candidates = [localMs - farMs, localMs + farMs].map((near) => localMs - this.#offsetMs(near));
    const shown = candidates.filter((instantMs) => this.localOf(instantMs) === localMs);
    if (shown.length > 0) return { instantMs: Math.min(...shown), skipped: false };
    const [early, late] = [Math.min(...candidates), Math.max(...candidates)];
    return { instantMs: this.shiftWithin(early, late) ?? late, skipped: true };
  }

  shiftWithin(fromMs: number, toMs: number): number | undefined {
    const before = this.#offsetMs(fromMs);
    if (this.#offsetMs(toMs) === before) return undefined;
    let [low, high] = [fromMs, toMs];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetMs(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }

  /** Whole seconds: the format tells no less, and no zone has had less since 1970. */
  #offsetMs(instantMs: number): number {
    const wholeMs = Math.floor(instantMs / 1000) * 1000;
    const shown: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(wholeMs)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs;
  }
}
