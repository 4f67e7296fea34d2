import { Link } from "./link.tsx";
import { isPaletteOpen } from "./palette.tsx";
import { type Route, sectionOf } from "./route.ts";
import { useDraws } from "./use-draws.ts";
import { useSession } from "./session-context.ts";
import { Status } from "./status.tsx";
import { setTheme, type Theme, theme, themes } from "./theme.ts";
import { Choice } from "./parts.tsx";

const entries = [["fleet", "Fleet"], ["functions", "Functions"], ["invocations", "Invocations"], ["work", "Work"], ["logs", "Logs"]] as const;

const themeNames = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" } as const;

/** The way to every part of the console, and how the page stands. */
export function Menu({ route }: { readonly route: Route }) {
  const session = useSession();
  useDraws(session.connection);
  const section = sectionOf(route);
  return (
    <header class="menu">
      <a class="skip" href="#main">Skip to the screen</a>
      <Link to={["fleet"]} class="brand"><Logo /> Longshore</Link>
      <nav aria-label="Parts of the console">{entries.map(([name, shown]) => <Link key={name} to={[name]} isCurrent={section === name}>{shown}</Link>)}</nav>
      <div class="menu-end">
        <button type="button" class="jump" onClick={() => (isPaletteOpen.value = true)}>Jump to … <kbd>Ctrl K</kbd></button>
        <Status />
        <Choice isInline label="Colours" value={theme.value} options={themes.map((each) => [each, themeNames[each]] as const)} onChange={(next) => setTheme(next as Theme)} />
        {session.keys.key !== undefined && <button type="button" onClick={() => void session.unlock(undefined)}>Lock</button>}
      </div>
    </header>
  );
}

function Logo() {
  return <svg class="logo" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true"><rect width="32" height="32" rx="7" /><path d="M7 20h18l-2.2 5H9.2z" class="hull" /><path d="M10 13h5v5h-5zM16.5 13h5v5h-5zM13.2 7h5v5h-5z" class="cargo" /></svg>;
}
