import { packageVersion } from '../../src/package-root.ts';

/**
 * The file that `npm pack` makes of this killdrill. It is installed from a copy in the project: killdrill is on no registry
 * yet, where its name is anybody's.
 */
export function tarball(): string {
  return `killdrill-${packageVersion()}.tgz`;
}
