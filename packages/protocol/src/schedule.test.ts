import { describe, expect, it } from "vitest";
import { parseInput } from "./error.ts";
import { scheduleDocumentSchema } from "./schedule.ts";

const read = (document: unknown) => parseInput(scheduleDocumentSchema, document, "schedule");
const base = { name: "nightly", function: "report" };

describe("scheduleDocumentSchema", () => {
  it("makes missed runs up by one unless told otherwise, and leaves a pause alone", () => {
    expect(read({ ...base, cron: "0 3 * * 1-5", timeZone: "Europe/Berlin" })).toEqual({ ...base, cron: "0 3 * * 1-5", timeZone: "Europe/Berlin", missed: "once" });
    expect(read({ ...base, everyMs: 1000, missed: "all", paused: true })).toMatchObject({ everyMs: 1000, missed: "all", paused: true });
  });

  it.each([
    [{}, "cron"],
    [{ cron: "0 3 * * *", everyMs: 5000 }, "everyMs"],
    [{ everyMs: 5000, timeZone: "UTC" }, "timeZone"],
    [{ cron: "61 * * * *" }, "cron"],
    [{ cron: 5 }, "cron"],
    [{ cron: "0 3 * * *", timeZone: "Europe/Nowhere" }, "timeZone"],
    [{ cron: "0 3 * * *", timeZone: "+02:00" }, "timeZone"],
    [{ everyMs: 999 }, "everyMs"],
    [{ everyMs: 1000.5 }, "everyMs"],
    [{ everyMs: Number.NaN }, "everyMs"],
    [{ everyMs: 5000, body: "a", bodyBase64: "YQ==" }, "bodyBase64"],
    [{ everyMs: 5000, body: "é".repeat(131_073) }, "body"],
    [{ everyMs: 5000, bodyBase64: "§" }, "bodyBase64"],
    [{ everyMs: 5000, contentType: "a\r\nb: c" }, "contentType"],
    [{ everyMs: 5000, missed: "never" }, "missed"],
    [{ everyMs: 5000, where: { site: "A" } }, "where.site"],
    [{ everyMs: 5000, color: 1 }, "color"],
    [{ everyMs: 5000, name: "a.b" }, "name"],
    [{ everyMs: 5000, function: ">" }, "function"],
  ])("refuses %o, naming %s", (slip, field) => {
    expect(() => read({ ...base, ...slip })).toThrow(expect.objectContaining({ reason: "bad_schema", field }));
  });
});
