import "./shell/no-code-from-text.ts";
import { render } from "preact";
import { App } from "./shell/app.tsx";
import { KeyHolder } from "./shell/key-holder.ts";
import { followAddress } from "./shell/navigation.ts";
import { Session } from "./shell/session.ts";
import { listenForKeys } from "./shell/shortcuts.tsx";
import { apply } from "./shell/theme.ts";

apply();
followAddress();
listenForKeys();
const session = new Session(window.location.origin, new KeyHolder(window.sessionStorage, Date.now));
const root = document.getElementById("console");
if (root !== null) render(<App session={session} />, root);
session.start();
