import { basename, join } from 'node:path';
import { packageVersion } from '../../src/package-root.ts';
import type { Bundle } from '../bundle/create.ts';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../bundle/environment-file.ts';
import { EVIDENCE_FILES, MANIFEST, digest, writeWhole } from '../bundle/manifest.ts';
import { renderEvidence } from '../report/evidence-markdown.ts';
import { evidenceOf } from './evidence-of.ts';
import type { EvidenceInput } from './evidence-of.ts';

/** Writes a finished bundle's `evidence.json` and `evidence.md`. They carry the manifest's hash, so that it cannot list them. */
export async function writeEvidence(
  bundle: Bundle,
  input: Omit<EvidenceInput, 'environment' | 'killdrill' | 'bundle'> & Pick<EvidenceInput['bundle'], 'storeHead'>,
): Promise<void> {
  const { storeHead, ...drilled } = input;
  const { sha256: manifestSha256 } = await digest(join(bundle.folder, MANIFEST));
  const evidence = evidenceOf({
    ...drilled,
    environment: await readEnvironmentFile(bundle.path(ENVIRONMENT_FILE)),
    killdrill: packageVersion(),
    bundle: { name: basename(bundle.folder), manifestSha256, storeHead },
  });
  await writeWhole(bundle.folder, EVIDENCE_FILES.json, `${JSON.stringify(evidence, null, 2)}\n`);
  await writeWhole(bundle.folder, EVIDENCE_FILES.markdown, renderEvidence(evidence));
}
