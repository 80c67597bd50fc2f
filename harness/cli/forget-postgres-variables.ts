/**
 * PostgreSQL's clients fill what a connection leaves open from PGSSLMODE, PGOPTIONS and their like. Those of a shell are
 * meant for other servers than a drill's; neither its harness nor its fleet gets them.
 */
export function forgetPostgresVariables(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) if (/^PG[A-Z]/.test(name)) delete environment[name];
}
