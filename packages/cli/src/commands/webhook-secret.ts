import { defineCommand } from "../command-line/command.ts";
import { inert, inertJson } from "../terminal/inert.ts";

/** `longshore webhook secret` */
export const webhookSecret = defineCommand({
  path: ["webhook", "secret"],
  summary: "Show the secret that webhooks are signed with",
  description: "Receivers verify with it, by any library of Standard Webhooks. It is made when it is first asked for.",
  options: { rotate: { summary: "Make a fresh one; for 24 hours webhooks are signed with the old one as well" } },
  arguments: {},
  examples: [
    ["longshore webhook secret", "whsec_…, for who receives"],
    ["longshore webhook secret --rotate", "Then give the new one to receivers within 24 hours"],
  ],
  run: async ({ options }, { fleet, terminal, json }) => {
    const shown = await (options.rotate ? fleet().webhookSecret.rotate() : fleet().webhookSecret.get());
    terminal.print(json ? inertJson(shown) : inert(shown.secret));
    if (!json && shown.previousUntil !== undefined) terminal.note(terminal.errStyle.dim(`Until ${inert(shown.previousUntil)} webhooks are signed with the one before it as well.`));
  },
});
