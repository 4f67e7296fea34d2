/** `node scripts/run.mjs TOOL ARGUMENT…`: runs a tool of the workspace under Node 24, once that and the dependencies are there. */
import { runInPlace } from "../packages/cli/bin/run-in-place.mjs";
import { workspaceNeeds } from "./setup/needs.mjs";
import { nodeEnvironment, nodePath } from "./setup/node.mjs";
import { setUp } from "./setup/setup.mjs";
import { findWorkspaceTool, workspaceTools } from "./workspace-tool.mjs";

const [tool = "", ...args] = process.argv.slice(2);
if (!workspaceTools.includes(tool)) {
  console.error(`Usage: node scripts/run.mjs ${workspaceTools.join("|")} ARGUMENT…`);
  process.exit(2);
}
await setUp(workspaceNeeds, { isQuiet: true });
await runInPlace(nodePath(), [findWorkspaceTool(tool) ?? "", ...args], nodeEnvironment());
