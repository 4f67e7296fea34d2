/** Where brokers and agents keep what they must not lose: `LONGSHORE_DATA`, else `/var/lib/longshore`. */
export function defaultDataFolder(environment: NodeJS.ProcessEnv): string {
  return environment["LONGSHORE_DATA"] || "/var/lib/longshore";
}
