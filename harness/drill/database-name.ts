let databases = 0;

/** A name for a drill's database that no other drill of this process has. */
export function nextDatabaseName(): string {
  databases += 1;
  return `drill_${databases}`;
}
