import { LongshoreError } from "./error.ts";

/** A cron line, read: which numbers each of its parts allows, from the part's least one on. */
export interface CronLine {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  /** 1 to 31. */
  readonly days: ReadonlySet<number>;
  /** 1 to 12. */
  readonly months: ReadonlySet<number>;
  /** 0 to 6, Sunday first. */
  readonly weekdays: ReadonlySet<number>;
  /** Days and weekdays are both named, so that a day needs to be only one of them (as cron has it). */
  readonly eitherDay: boolean;
}

interface Part {
  readonly name: "minute" | "hour" | "day" | "month" | "weekday";
  readonly min: number;
  readonly max: number;
  /** Words for `min` and what follows it. */
  readonly words: readonly string[];
}

const parts: readonly [Part, Part, Part, Part, Part] = [
  { name: "minute", min: 0, max: 59, words: [] },
  { name: "hour", min: 0, max: 23, words: [] },
  { name: "day", min: 1, max: 31, words: [] },
  { name: "month", min: 1, max: 12, words: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] },
  { name: "weekday", min: 0, max: 7, words: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const longestMonths: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const maxLength = 256;

/**
 * Reads the five parts of a cron line (minute, hour, day, month, weekday): `*`, numbers, ranges, steps and lists of these, months and
 * weekdays also by their first three letters, Sunday as 0 or 7. Throws `bad_schema` for field `cron` with the part that is wrong, or when no day ever fits.
 */
export function parseCron(line: string): CronLine {
  const texts = line.length > maxLength ? [] : line.trim().split(/\s+/);
  if (texts.length !== 5) throw slip(line, "expected five parts: minute, hour, day, month, weekday");
  const [minutes, hours, days, months, weekdays] = parts.map((part, index) => readPart(texts[index] ?? "", part, line)) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  if (weekdays.delete(7)) weekdays.add(0);
  const longest = Math.max(...[...months].map((month) => longestMonths[month - 1] ?? 0));
  const eitherDay = !isOpen(texts[2]) && !isOpen(texts[4]);
  if (!eitherDay && Math.min(...days) > longest) throw slip(line, `no such month has a day ${Math.min(...days)}`);
  return { minutes, hours, days, months, weekdays, eitherDay };
}

/** `*` and its steps leave a day to the other part that names days. */
function isOpen(text: string | undefined): boolean {
  return text?.startsWith("*") === true;
}

function readPart(text: string, part: Part, line: string): Set<number> {
  return new Set(text.split(",").flatMap((item) => readItem(item, part, line)));
}

function readItem(item: string, part: Part, line: string): number[] {
  const wrong = (because: string) => slip(line, `its ${part.name} ${JSON.stringify(item.slice(0, 40))} ${because}`);
  const match = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d{1,4}))?$/.exec(item);
  if (match === null) throw wrong("cannot be read");
  const [, fromText, toText, stepText] = match;
  const isStar = fromText === undefined;
  const from = isStar ? part.min : numberOf(fromText, part);
  const to = toText !== undefined ? numberOf(toText, part) : isStar || stepText !== undefined ? last(part) : from;
  const step = stepText === undefined ? 1 : Number(stepText);
  if (from === undefined || to === undefined) throw wrong(`is not within ${part.min} to ${part.max}`);
  if (from > to) throw wrong("ends before it begins");
  if (step === 0) throw wrong("has a step of 0");
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

/** Sunday is in `*` once. */
function last({ name, max }: Part): number {
  return name === "weekday" ? 6 : max;
}

function numberOf(text: string, { min, max, words }: Part): number | undefined {
  const word = words.indexOf(text.toLowerCase());
  if (word !== -1) return min + word;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  return value >= min && value <= max ? value : undefined;
}

function slip(line: string, because: string): LongshoreError {
  return new LongshoreError("bad_schema", `Cannot read cron line ${JSON.stringify(line.slice(0, 80))}: ${because}`, { field: "cron" });
}
