/** What a metric is, whatever its values: Prometheus' name and type, for people what it counts, the labels that its series have. */
export interface Definition {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

/** One value, by the values of its labels in the order of the definition. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number;
}

/** A histogram's values: how many fell below each upper bound (not summed up), how many there were, and their sum. */
export interface Distribution {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** Writes a metric in Prometheus' text format (0.0.4); nothing where it has no series. */
export function writeFamily({ name, type, help, labels }: Definition, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  let text = heading(name, type, help);
  for (const { labels: values, value } of samples) text += `${name}${labelled(labels, values)} ${value}\n`;
  return text;
}

/** The same of a histogram without labels. */
export function writeHistogram({ name, type, help }: Definition, { bounds, counts, count, sum }: Distribution): string {
  let [text, below] = [heading(name, type, help), 0];
  for (const [index, bound] of bounds.entries()) text += `${name}_bucket{le="${bound}"} ${(below += counts[index] ?? 0)}\n`;
  return `${text}${name}_bucket{le="+Inf"} ${count}\n${name}_sum ${sum}\n${name}_count ${count}\n`;
}

const heading = (name: string, type: string, help: string) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

function labelled(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  return `{${names.map((name, at) => `${name}="${(values[at] ?? "").replaceAll(/["\\\n]/g, "_")}"`).join(",")}}`;
}
