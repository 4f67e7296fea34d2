/** Tells whether a path of a folder (relative, with `/`) is of no concern to its image. */
export type IsIgnored = (path: string) => boolean;

/** What editors, tools and systems leave beside what they save; `4913` is Vim asking whether it may write. */
const temporary = /(^|\/)(\.#[^/]*|#[^/]*#|[^/]*~|[^/]*\.sw[a-z]|4913|\.goutputstream-[^/]*|[^/]*___jb_(tmp|old)___|\.DS_Store|\.git)(\/|$)/;
/** These decide what is built though an ignore file names them. */
const always: ReadonlySet<string> = new Set(["Dockerfile", ".dockerignore", "longshore.yaml", "longshore.yml", "longshore.json"]);

/** Reads a `.dockerignore` as the engine does: patterns from the folder's root, `*`, `?`, `**`, `[…]`, `!` for exceptions, the last that fits decides. Broken patterns fit nothing. */
export function readIgnored(dockerignore: string): IsIgnored {
  const rules = dockerignore.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#")).flatMap(readRule);
  return (path) => {
    if (temporary.test(path)) return true;
    if (always.has(path)) return false;
    let isIgnored = false;
    for (const { fits, isException } of rules) if (fits.test(path)) isIgnored = !isException;
    return isIgnored;
  };
}

interface Rule {
  readonly fits: RegExp;
  readonly isException: boolean;
}

function readRule(line: string): readonly Rule[] {
  const isException = line.startsWith("!");
  const pattern = (isException ? line.slice(1).trim() : line).replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
  if (pattern === "") return [];
  try {
    return [{ isException, fits: new RegExp(`^${pattern === "." ? ".*" : expressionOf(pattern)}(/.*)?$`, "s") }];
  } catch {
    return [];
  }
}

/** What a folder's pattern fits, fits all that is in it: the caller adds that. */
function expressionOf(pattern: string): string {
  return pattern.replace(/\*\*\/|\*\*|\*|\?|\[[^\]]*\]|\\?[^]/g, (part) => {
    if (part === "**/") return "(.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1 && part.startsWith("[")) return part.replace(/\\/g, "\\\\");
    return (part.startsWith("\\") ? part.slice(1) : part).replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  });
}
