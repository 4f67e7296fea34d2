import type { LogLine } from "@longshore/protocol";
import { inert } from "./inert.ts";
import type { Style } from "./style.ts";

/** Yellow and red are for what deserves a look. */
const instanceColours = ["cyan", "magenta", "green"] as const;

export interface LogLineLayout {
  readonly style: Style;
  /** Several functions are shown, so that each line names its own. */
  readonly withFunction: boolean;
  /** Overlong lines are cut. */
  readonly isCut: boolean;
}

/** `12:00:01.250 plant/plant-1 1f3c2a err text`: UTC, where, the end of the instance's id in a colour of its own, the stream, the text. */
export function formatLogLine(line: LogLine, { style, withFunction, isCut }: LogLineLayout): string {
  const at = style.dim(inert(line.at.slice(11, 23)));
  const place = inert(line.agentId === "" ? "broker" : `${line.siteId}/${line.agentId}`);
  const instance = line.instanceId === "" ? "------" : style[colourOf(line.instanceId)](inert(line.instanceId.slice(-6)));
  const from = withFunction ? `${place} ${inert(line.functionName)}` : place;
  const text = inert(line.line, isCut ? undefined : Infinity);
  return `${at} ${from} ${instance} ${streamWord(line.stream, style)} ${line.stream === "system" ? style.bold(text) : text}`;
}

function streamWord(stream: LogLine["stream"], style: Style): string {
  if (stream === "stderr") return style.yellow("err");
  return stream === "system" ? style.red("sys") : style.dim("out");
}

function colourOf(instanceId: string): (typeof instanceColours)[number] {
  let sum = 0;
  for (const character of instanceId) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return instanceColours[sum % instanceColours.length] ?? "cyan";
}
