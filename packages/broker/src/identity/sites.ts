import { LongshoreError, type SiteId, siteIdSchema, tenantIdSchema } from "@longshore/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import type { Store } from "../bus/bus.ts";
import { Documents } from "./documents.ts";

const siteSchema = z.object({
  siteId: siteIdSchema,
  /** What residency rules match. */
  regions: z.array(z.string()),
  /** Tenants that may use it; absent: all. */
  tenants: z.array(tenantIdSchema).optional(),
});
/** A site as an operator set it. */
export type Site = z.infer<typeof siteSchema>;

/** The sites of the fleet, mirrored in memory. */
export class Sites {
  readonly #documents: Documents<Site>;

  constructor(store: Store, log: Logger) {
    this.#documents = new Documents({ store, name: "sites", schema: siteSchema, log });
  }

  start(): Promise<void> {
    return this.#documents.start();
  }

  close(): void {
    this.#documents.close();
  }

  get(siteId: string): Site | undefined {
    return this.#documents.peek(siteId);
  }

  list(): Site[] {
    return [...this.#documents.values()];
  }

  onChange(handler: (siteId: string, site: Site | undefined) => void): void {
    this.#documents.onChange(handler);
  }

  /** Makes the site if it is new; sets its regions where they are given. */
  async ensure(siteId: SiteId, regions: readonly string[] | undefined): Promise<Site> {
    const site = await this.#documents.change(siteId, (known) => {
      if (known !== undefined && regions === undefined) return undefined;
      return { ...known, siteId, regions: [...(regions ?? [])] };
    });
    if (site === undefined) throw new LongshoreError("site_not_found", `Cannot use site "${siteId}": it was removed meanwhile`);
    return site;
  }
}
