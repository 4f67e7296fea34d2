import { bundleConsole, isBundled } from "../build/bundle-console.mjs";

/** The console's bundle, made anew when its sources changed. @type {import("./need.mjs").Need} */
export const consoleBundle = {
  name: "Console",
  find: async () => (isBundled() ? "as its sources are" : undefined),
  obstacle: async () => undefined,
  byHand: "run npm start once",
  provide: async (say) => {
    say("bundle");
    return bundleConsole();
  },
};
