import { contractNames } from "@longshore/protocol";
import { z } from "zod";

/**
 * What a restarted agent must know of an instance to go on using it. `become`: it serves many invocations one after the other or at
 * once; `run`: it was begun for one invocation, which died with the agent.
 */
export const adoptionSchema = z.object({
  contract: z.enum(contractNames),
  mode: z.enum(["become", "run"]),
  /** http: where the program listens. */
  port: z.number().int().min(1).max(65_535).optional(),
  concurrency: z.number().int().positive(),
});
export type Adoption = z.infer<typeof adoptionSchema>;

/** The value of the label `longshore.adoption`. */
export function formatAdoption(adoption: Adoption): string {
  return JSON.stringify(adoption);
}

/** Reads the label's value; undefined when it is absent or not ours to understand. */
export function parseAdoption(label: string | undefined): Adoption | undefined {
  try {
    return adoptionSchema.safeParse(JSON.parse(label ?? "")).data;
  } catch {
    return undefined;
  }
}
