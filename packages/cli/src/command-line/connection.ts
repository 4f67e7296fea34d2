/** Which broker a command speaks to, and as whom. */
export interface Connection {
  readonly url: string;
  readonly key: string | undefined;
  /** File of the authority (PEM) that the broker's certificate comes from, beside those that this system trusts. */
  readonly caFile: string | undefined;
}
