/** The version of this build, as `--version`, `/openapi.json` and introductions say it; set together with the packages'. */
export const productVersion = "0.1.0";
