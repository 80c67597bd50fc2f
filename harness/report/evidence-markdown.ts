import type { Evidence, EvidenceStop } from '../evidence/evidence-file.ts';
import { markdownInline as inline, markdownCode as code, markdownTable as table } from './markdown.ts';
import { ms } from './percentile.ts';

/** `evidence.md`: the same as `evidence.json`, for reading. */
export function renderEvidence(evidence: Evidence): string {
  const { drill, result, stops, requirements, remarks, sha256 } = evidence;
  const parts = [
    `# Evidence of a drill: ${inline(drill.scenario)}, ${result.verdict}`,
    remarks.map((remark) => `- ${inline(remark)}`).join('\n'),
    table(['', ''], factsOf(evidence)),
    '## Stops',
    stops.length === 0 ? 'None.' : table(STOP_HEAD, stops.map(stopRow)),
    '## Requirements',
    table(
      ['requirement', 'level', 'this drill', 'since', 'no drill shows'],
      requirements.map(({ id, level, asks, standing, why, cannotShow }) => [
        inline(`${id}: ${asks}`),
        level === null ? '' : String(level),
        standing,
        inline(why),
        inline(cannotShow),
      ]),
    ),
    sourcesOf(requirements),
    '## Properties and expectations',
    table(
      ['claim', 'verdict', 'reason'],
      [...result.properties, ...result.expectations].map(({ name, verdict, reason }) => [
        code(name),
        verdict,
        inline(reason),
      ]),
    ),
    ...result.notes.map((note) => `> ${inline(note)}`),
    `sha256 of the content of evidence.json: ${code(sha256)}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function factsOf({ drill, who, when, project, fleet, environment, result, bundle }: Evidence): readonly string[][] {
  const { commit, dirty, unknownBecause } = project;
  const changed = dirty === null ? 'not known whether changed' : dirty ? 'with changes' : 'without changes';
  const { contract, workers, agentsPerWorker } = fleet;
  const facts = { environment: environment.name, ...environment.facts, ...environment.machine };
  return [
    [
      'result',
      `${result.verdict}, exit code ${result.exitCode}${result.worst === null ? '' : `: ${inline(result.worst.name)}, ${inline(result.worst.reason)}`}`,
    ],
    ['who', who.name === null ? 'not told' : `${inline(who.name)} (by ${inline(who.toldBy)})`],
    ['when', `${when.start} to ${when.end} (UTC)`],
    ['commit', commit === null ? `not known: ${inline(unknownBecause ?? 'not told')}` : `${code(commit)}, ${changed}`],
    ['fleet', fleet.command === null ? 'the simulated fleet of killdrill' : inline(fleet.command.join(' '))],
    ['its size', `${workers} workers of ${agentsPerWorker} agents`],
    ['its contract', contract === null ? 'not declared' : inline(JSON.stringify(contract))],
    ['killdrill', inline(fleet.killdrill)],
    ...Object.entries(facts).map(([name, value]) => [inline(name), inline(String(value ?? 'not known'))]),
    ['seed', String(drill.seed)],
    ['properties asked for', drill.properties === 'all' ? 'all' : inline(drill.properties.join(', '))],
    ['bundle', inline(bundle.name)],
    ['sha256 of its manifest', code(bundle.manifestSha256)],
    ["store's head", headOf(bundle.storeHead)],
  ];
}

function headOf(head: Evidence['bundle']['storeHead']): string {
  if (head === null) return 'none';
  const signed = head.signature === null ? 'unsigned' : `signed ${code(head.signature)}`;
  return `revision ${head.revision}, hash ${code(head.hash)}, ${signed}`;
}

const STOP_HEAD = [
  'stop',
  'mode',
  'path',
  'answer',
  'engagement',
  'time to stop',
  'budget',
  'effects after',
  'intents after',
];

function stopRow(stop: EvidenceStop): readonly string[] {
  const { scope, target, mode, path, answer, engagement, timeToStop, effectsAfterBudget, intentsAfterStop } = stop;
  return [
    scope === 'global' ? 'global' : inline(`${scope}:${target}`),
    mode,
    path,
    answer,
    engagement === null ? '–' : code(engagement),
    timeToStop === null ? '–' : tookOf(timeToStop),
    timeToStop === null ? '–' : `${ms(timeToStop.budgetMs.connected)}, cut off ${ms(timeToStop.budgetMs.cut)}`,
    effectsAfterBudget === null ? '–' : `${effectsAfterBudget} (allowed ${stop.effectsAllowed})`,
    String(intentsAfterStop ?? '–'),
  ];
}

function tookOf({ n, maxMs, workers }: NonNullable<EvidenceStop['timeToStop']>): string {
  const others = [
    [workers.censored, 'still open'],
    [workers.died, 'died'],
    [workers.not_exposed, 'not exposed'],
  ] as const;
  const told = others.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []));
  return [`max ${ms(maxMs)}, n ${n}`, ...told].join(', ');
}

function sourcesOf(requirements: Evidence['requirements']): string {
  const sources = requirements.map(
    ({ document, documentVersion }) => `- ${inline(document)}, ${inline(documentVersion)}`,
  );
  return [...new Set(sources)].join('\n');
}
