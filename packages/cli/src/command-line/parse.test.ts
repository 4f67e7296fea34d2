import { describe, expect, it } from "vitest";
import { defineCommand } from "./command.ts";
import { findCommand, parseLine } from "./parse.ts";
import { UsageError } from "./usage-error.ts";

const probe = defineCommand({
  path: ["probe"],
  summary: "Probe",
  options: {
    memory: { value: "SIZE", summary: "Memory" },
    startTimeout: { value: "TIME", summary: "Start" },
    env: { value: "K=V", short: "e", repeat: true, summary: "Env" },
    follow: { short: "f", summary: "Follow" },
  },
  arguments: { name: { summary: "Name" }, more: { optional: true, summary: "More" } },
  rest: { value: "ARG...", summary: "Arguments" },
  examples: [],
  run: async () => undefined,
});
const plain = defineCommand({ path: ["agent", "ls"], summary: "List", options: {}, arguments: {}, examples: [], run: async () => undefined });

const parse = (...words: string[]) => parseLine(probe, words);
const find = (...words: string[]) => findCommand([probe, plain], words);

describe("parseLine()", () => {
  it("reads options in every spelling, operands, and what follows --", () => {
    const line = parse("resize", "-fe", "A=1", "--env=B=2", "--start-timeout", "5s", "x", "--", "-q", "--memory");
    expect(line.options).toMatchObject({ env: ["A=1", "B=2"], follow: true, startTimeout: "5s", memory: undefined });
    expect(line.args).toEqual({ name: "resize", more: "x" });
    expect(line.rest).toEqual(["-q", "--memory"]);
  });

  it("takes a lone dash and negative numbers as values", () => {
    expect(parse("x", "--memory", "-5").options["memory"]).toBe("-5");
    expect(parse("-").args).toEqual({ name: "-" });
  });

  it.each([
    [["x", "--memroy", "1"], /no option --memroy; did you mean --memory\?/],
    [["x", "--memory"], /--memory: it needs a value, --memory SIZE/],
    [["x", "--memory", "--follow"], /--memory: it needs a value, and --follow follows/],
    [["x", "--memory=1", "--memory=2"], /--memory: it was given twice/],
    [["x", "--follow=yes"], /--follow: it takes no value/],
    [["x", "y", "z"], /"z" is one argument too many/],
    [[], /NAME is missing/],
  ])("refuses %j", (words, message) => {
    expect(() => parse(...words)).toThrow(UsageError);
    expect(() => parse(...words)).toThrow(message);
  });

  it("gathers what is left for an argument that may be repeated", () => {
    const many = defineCommand({ path: ["many"], summary: "Many", options: {}, arguments: { first: { summary: "First" }, others: { optional: true, repeat: true, summary: "Others" } }, examples: [], run: async () => undefined });
    expect(parseLine(many, ["a", "b", "c"]).args).toEqual({ first: "a", others: ["b", "c"] });
    expect(parseLine(many, ["a"]).args).toEqual({ first: "a", others: [] });
    expect(() => parseLine(many, [])).toThrow(/FIRST is missing/);
  });

  it("gives help whatever else is missing", () => {
    expect(parse("--help").options["help"]).toBe(true);
  });
});

describe("findCommand()", () => {
  it("finds one-word and two-word commands, with global options in front", () => {
    expect(find("--url", "http://x", "--json", "agent", "ls", "-h")).toMatchObject({ command: plain, words: ["--url", "http://x", "--json", "-h"] });
    expect(find("probe", "a")).toMatchObject({ command: probe, words: ["a"] });
  });

  it("shows everything, a group, or one command when asked for help", () => {
    expect(find()).toEqual({ kind: "overview", group: undefined });
    expect(find("--help")).toEqual({ kind: "overview", group: undefined });
    expect(find("agent")).toEqual({ kind: "overview", group: "agent" });
    expect(find("help", "probe")).toMatchObject({ command: probe, words: ["--help"] });
  });

  it("suggests the nearest command", () => {
    expect(() => find("prob")).toThrow(/did you mean probe\?/);
    expect(() => find("agent", "list")).toThrow(/longshore agent has no such command/);
    expect(() => find("agnet", "ls")).toThrow(/did you mean agent\?/);
  });
});
