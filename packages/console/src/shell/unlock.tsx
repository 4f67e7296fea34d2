import { useState } from "preact/hooks";
import { Check, Command, Field } from "./parts.tsx";
import { useSession } from "./session-context.ts";
import { Text } from "./text.tsx";

/** Asks for an API key where the broker wants one. */
export function Unlock({ because }: { readonly because: string | undefined }) {
  const session = useSession();
  const [key, setKey] = useState("");
  const [inTab, setInTab] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    if (key.trim() !== "") void session.unlock(key.trim(), inTab);
  };
  return (
    <main class="unlock" id="main">
      <form class="panel" onSubmit={submit}>
        <h1 tabIndex={-1}>This fleet wants a key</h1>
        {because !== undefined && <p class="fault" role="alert"><Text>{because}</Text></p>}
        <Field label="API key" type="password" value={key} onInput={setKey} placeholder="lsk_…" hint="It stays in this page's memory, and goes to this broker alone." isCode />
        <Check label="Keep it in this tab for 8 hours" hint="So that it outlives a reload. Pages of functions opened in this same tab could read it: leave it off where you do not trust them." value={inTab} onChange={setInTab} />
        <div class="actions"><button type="submit" class="primary" disabled={key.trim() === ""}>Open</button></div>
        <p class="hint">The key was shown when the fleet was made. With the command line it is:</p>
        <Command>$LONGSHORE_KEY</Command>
      </form>
    </main>
  );
}

/** Where the broker will not talk to this page at all. */
export function Refused({ because }: { readonly because: string }) {
  return <main class="unlock" id="main"><div class="panel"><h1 tabIndex={-1}>The broker refuses this page</h1><p class="fault"><Text>{because}</Text></p><p>Open it by the address that the broker printed when it started.</p></div></main>;
}
