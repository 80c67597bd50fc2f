import { CHECKERS } from '../harness/checkers/registry.ts';
import { DOCUMENTS, EVIDENCE_TOWARDS, REQUIREMENTS } from '../harness/evidence/requirements.ts';
import type { RequirementId } from '../harness/evidence/requirements.ts';
import { markdownCode as code, markdownTable as table } from '../harness/report/markdown.ts';
import { page } from './markdown.ts';

/** What a drill can be evidence towards, from the lists that `evidence.json` is made with. */
export function evidence(): string {
  return page(
    'Evidence',
    'What a drill can be evidence towards. It is evidence, and never a certificate: whether a system meets a requirement is for those to say who know all of it. What a requirement asks for is told in our words; the documents have theirs. [The guide](../guides/drill-on-a-calendar.md) says where the files are and how to keep them.',
    '## Requirements',
    table(
      ['requirement', 'level', 'asks that', 'takes a drill with', 'no drill shows'],
      REQUIREMENTS.map(({ id, level, asks, wants, cannotShow }) => [
        id,
        level === null ? '' : String(level),
        asks,
        wants ?? 'any stop',
        cannotShow,
      ]),
    ),
    "A stop by hand is one by `postgres`, `api` or `file`, or with the lever that a fleet brings; `alert` and `detector` are none. A stop on record is any but that lever, whose fleet's own log is not looked at. Of a requirement a drill is *evidence towards it* when the drill passed, had such a stop, and one of the properties below held; *evidence against it* when such a stop was in its timeline and one of them failed; otherwise *nothing shown*, as always with the simulated fleet.",
    Object.values(DOCUMENTS)
      .map(({ name, version, url }) => `- [${name}](${url}), ${version}`)
      .join('\n'),
    '## Properties',
    table(
      ['property', 'evidence towards'],
      CHECKERS.map(({ name }) => [code(name), towards(EVIDENCE_TOWARDS[name])]),
    ),
  );
}

function towards(ids: readonly RequirementId[] = []): string {
  return ids.length === 0 ? 'none of these' : ids.join('; ');
}
