/** What Prometheus' own checker (promtool 2.42: `check metrics`, and the text format) would find fault with, so far as our pages could do it; none: []. */
export function checkPage(page: string): string[] {
  const found: string[] = [];
  const [helps, types, series] = [new Map<string, string>(), new Map<string, string>(), new Set<string>()];
  const done = new Set<string>();
  let current = "";
  if (!page.endsWith("\n")) found.push("the last line has no end");
  for (const line of page.split("\n").slice(0, -1)) {
    const heading = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (heading !== null) {
      const [, kind, name = "", text = ""] = heading;
      const known = kind === "HELP" ? helps : types;
      if (known.has(name)) found.push(`${name}: second ${kind}`);
      known.set(name, text);
      if (name !== current && done.has(name)) found.push(`${name}: its lines are not together`);
      current = name;
      done.add(name);
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})? (NaN|[+-]Inf|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/.exec(line);
    if (sample === null) {
      found.push(`cannot read: ${line}`);
      continue;
    }
    const [, name = "", labels = ""] = sample;
    const isOfCurrent = name === current || (types.get(current) === "histogram" && new RegExp(`^${current}_(bucket|sum|count)$`).test(name));
    if (!types.has(current)) found.push(`${name}: no type`);
    if (!isOfCurrent) found.push(`${name}: no HELP and TYPE before it`);
    if (types.get(current) === "histogram" && name === current) found.push(`${name}: a histogram has no value of its own`);
    if (labels !== "" && !/^\{([a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)+\}$/.test(labels)) found.push(`${name}: labels ${labels}`);
    if (series.has(name + labels)) found.push(`${name}${labels}: twice`);
    series.add(name + labels);
  }
  for (const [name, type] of types) found.push(...checkName(name, type), ...(helps.has(name) ? [] : [`${name}: no help`]), ...(type === "histogram" ? checkHistogram(name, page) : []));
  return found;
}

/** Units that have a base unit in their place, and abbreviations of units. */
const otherUnits = /(^|_)(milliseconds|microseconds|nanoseconds|minutes|hours|days|kilobytes|megabytes|gigabytes|kibibytes|mebibytes|gibibytes|bits|percent|ms|us|ns|s|sec|secs|m|h|b|kb|mb|gb)(_|$)/;

function checkName(name: string, type: string): string[] {
  const found: string[] = [];
  if (!["counter", "gauge", "histogram"].includes(type)) found.push(`${name}: type ${type}`);
  if ((type === "counter") !== name.endsWith("_total")) found.push(`${name}: counters alone end in _total`);
  if (/_(count|sum|bucket|info)$/.test(name) && !(name.endsWith("_info") && type === "gauge")) found.push(`${name}: ends as a part of a histogram does`);
  if (otherUnits.test(name)) found.push(`${name}: not in a base unit`);
  if (/[A-Z]/.test(name)) found.push(`${name}: not in lower case`);
  if (new RegExp(`_${type}(_|$)`).test(name)) found.push(`${name}: names its type`);
  if (!/^(longshore|process)_/.test(name)) found.push(`${name}: not of our scheme`);
  return found;
}

function checkHistogram(name: string, page: string): string[] {
  const buckets = [...page.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, "gm"))].map(([, le, count]) => ({ le: le === "+Inf" ? Infinity : Number(le), count: Number(count) }));
  const total = new RegExp(`^${name}_count (\\d+)$`, "m").exec(page)?.[1];
  const found: string[] = [];
  if (buckets.at(-1)?.le !== Infinity) found.push(`${name}: no bucket for all`);
  if (total === undefined || !new RegExp(`^${name}_sum `, "m").test(page)) found.push(`${name}: no sum or no count`);
  if (buckets.at(-1)?.count !== Number(total)) found.push(`${name}: its last bucket is not its count`);
  if (buckets.some(({ le, count }, at) => at > 0 && (le <= (buckets[at - 1]?.le ?? 0) || count < (buckets[at - 1]?.count ?? 0)))) found.push(`${name}: its buckets do not rise`);
  return found;
}
