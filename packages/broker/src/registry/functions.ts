import { type DeployAnswer, type FunctionList, type FunctionName, functionNameSchema, type FunctionView, type PageQuery, parseName, type TenantId } from "@longshore/protocol";
import { pageOf } from "../page.ts";
import type { Deployer, DeployRequest } from "./deploy.ts";
import { functionView } from "./function-view.ts";
import { functionNotFound, type Registry } from "./registry.ts";

/** Functions as the API deals with them: names from outside in, views out. */
export class Functions {
  readonly #registry: Registry;
  readonly #deployer: Deployer;

  constructor(registry: Registry, deployer: Deployer) {
    this.#registry = registry;
    this.#deployer = deployer;
  }

  /** Deploys a document that names its function. */
  deploy(tenantId: TenantId, document: unknown, options: Omit<DeployRequest, "tenantId" | "document">): Promise<DeployAnswer> {
    return this.#deployer.deploy({ tenantId, document, ...options });
  }

  /** Throws `function_not_found`. */
  view(tenantId: TenantId, name: string): FunctionView {
    const functionName = checked(name);
    const revision = this.#registry.find(tenantId, functionName);
    if (revision === undefined) throw functionNotFound(functionName);
    return functionView(revision);
  }

  list(tenantId: TenantId): FunctionView[] {
    return this.#registry.list(tenantId).map(functionView);
  }

  /** By name. */
  page(tenantId: TenantId, page: PageQuery): FunctionList {
    const { items, next } = pageOf(this.#registry.list(tenantId), ({ functionName }) => functionName, page);
    return { functions: items.map(functionView), next };
  }

  /** Newest first. Throws `function_not_found`. */
  revisions(tenantId: TenantId, name: string): FunctionView[] {
    return this.#registry.revisions(tenantId, checked(name)).map(functionView);
  }

  /** Throws `function_not_found`. */
  remove(tenantId: TenantId, name: string): Promise<void> {
    return this.#registry.remove(tenantId, checked(name));
  }
}

function checked(name: string): FunctionName {
  return parseName(functionNameSchema, name, "function");
}
