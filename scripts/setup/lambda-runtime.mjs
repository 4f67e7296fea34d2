import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";
import { installPackages } from "./apt.mjs";
import { findCommand, obstacleToPackages } from "./machine.mjs";
import { installFromNpm } from "./npm.mjs";

/** AWS's runtime client for Node, whose native part is built where it is installed: that takes some minutes, once. */
const specifier = "aws-lambda-ric@^4.0.2";
/** The Debian package that brings each command of that build. */
const builders = { cmake: "cmake", autoconf: "autoconf", automake: "automake", libtoolize: "libtool", make: "make", "g++": "g++", python3: "python3", xz: "xz-utils" };

const folder = () => join(cacheFolder(), "aws-lambda-ric");
const missing = () => Object.entries(builders).flatMap(([command, name]) => (findCommand(command) === undefined ? [name] : []));

/** The `node_modules` with AWS's runtime client; undefined when there is none. */
export function findLambdaRuntime() {
  const modules = join(folder(), "node_modules");
  return existsSync(join(modules, "aws-lambda-ric", "rapid-client.node")) ? modules : undefined;
}

/** AWS's Lambda runtime client, of which tests make function images. @type {import("./need.mjs").Need} */
export const lambdaRuntime = {
  name: "aws-lambda-ric",
  find: async () => findLambdaRuntime(),
  obstacle: async () => (missing().length === 0 ? undefined : obstacleToPackages()),
  byHand: `install ${Object.values(builders).join(", ")} with your system's packages`,
  provide: async (say) => {
    if (missing().length > 0) await installPackages(missing(), say);
    say("building it from npm's package, some minutes");
    await installFromNpm(folder(), specifier, { env: headersOfNode(), runsScripts: true });
    return "for tests only";
  },
};

/** Node's own headers where they lie beside it, since the build would fetch them otherwise. */
function headersOfNode() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include", "node", "node_api.h")) ? { npm_config_nodedir: prefix } : {};
}
