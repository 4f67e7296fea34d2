/** The version of this build, as introductions say it; set together with the packages'. */
export const agentVersion = "0.1.0";
