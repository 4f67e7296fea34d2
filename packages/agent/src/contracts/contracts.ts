import { type ContractName, LongshoreError } from "@longshore/protocol";
import { createAzureContract } from "./azure.ts";
import type { Contract } from "./contract.ts";
import { createHttpContract } from "./http.ts";
import { createLambdaContract, type LambdaContractOptions } from "./lambda.ts";
import { createStdioContract } from "./stdio.ts";

/** The contracts of this build, by name. */
export type Contracts = Partial<Record<ContractName, Contract>>;

/** Makes them. A new contract is one file and one row here. */
export function createContracts(options: LambdaContractOptions): Contracts {
  return {
    http: createHttpContract(options.clock),
    stdio: createStdioContract(),
    lambda: createLambdaContract(options),
    azure: createAzureContract(options.clock),
  };
}

/** The contract of that name; throws `contract_unimplemented` for one that this build does not have. */
export function contractFor(contracts: Contracts, name: ContractName): Contract {
  const contract = contracts[name];
  if (contract !== undefined) return contract;
  throw new LongshoreError("contract_unimplemented", `Cannot run: this agent does not know the contract "${name}"`, { phase: "admission", field: "contract" });
}
