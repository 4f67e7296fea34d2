/** Text as it may stand in a page. */
export const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

const style = `
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1c2730; --faint: #6c7a85; --rule: #dfe3e4; --ours: #00796b; --first: #d1793b; --second: #6b62b8; --third: #888; --met: #2e7d4f; --missed: #b5452f; }
@media (prefers-color-scheme: dark) { :root { --paper: #12181d; --ink: #e6ebee; --faint: #93a1ab; --rule: #2a343b; --ours: #4fc3b0; --first: #e79a61; --second: #a59df0; --third: #999; --met: #6fc28f; --missed: #ef8a73; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
h1 { font-size: 2rem; margin: 0 0 .5rem; letter-spacing: -.02em; } h2 { font: 600 1.1rem/1.2 ui-monospace, monospace; margin: 0 0 .25rem; }
header p { color: var(--faint); margin: 0 0 .4rem; }
table { width: 100%; border-collapse: collapse; margin: 2rem 0 3rem; font-variant-numeric: tabular-nums; }
thead th { font-weight: 500; color: var(--faint); font-size: .85rem; } th, td { text-align: left; padding: .4rem .5rem .4rem 0; border-bottom: 1px solid var(--rule); white-space: nowrap; }
tbody th { font: 500 .95rem ui-monospace, monospace; } tbody a { color: inherit; text-decoration-color: var(--rule); } .ratio { font-weight: 650; }
.met .ratio, .met .verdict { color: var(--met); } .missed .ratio, .missed .verdict { color: var(--missed); } .verdict { font-size: .85rem; }
section { border-top: 1px solid var(--rule); padding: 1.75rem 0; } ul { list-style: none; display: flex; gap: 1.25rem; flex-wrap: wrap; margin: 0 0 .5rem; padding: 0; }
li::before { content: ""; display: inline-block; width: .9rem; height: .2rem; border-radius: 1px; margin-right: .45rem; vertical-align: middle; background: var(--line); } small { color: var(--faint); }
svg { width: 100%; height: auto; } svg polyline { fill: none; stroke: var(--line); stroke-width: 2; } svg circle { fill: var(--line); stroke: var(--paper); stroke-width: 1.5; } svg .rule { stroke: var(--rule); }
svg text { fill: var(--faint); font-size: 11px; } .share { text-anchor: end; } .tick { text-anchor: middle; }
.ours { --line: var(--ours); } .first { --line: var(--first); } .second { --line: var(--second); } .third { --line: var(--third); }
.unit { color: var(--faint); font-size: .8rem; margin: .1rem 0 .75rem; } dl { margin: 0; display: flex; gap: .25rem 1.75rem; flex-wrap: wrap; } dt { color: var(--faint); font-size: .8rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
@media (max-width: 34rem) { table { font-size: .85rem; } td:nth-child(5), thead th:nth-child(5) { display: none; } }
`;

/** A page of its own that asks nothing of any server; `ownStyle` comes after what all pages share. */
export function page(title: string, content: string, ownStyle = ""): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title>
<style>${style}${ownStyle}</style>
<main>
${content}
</main></html>
`;
}
