import { z } from 'zod';
import { engagementOf, parseFlip } from '../../flip-text.ts';
import type { OpenEngagement } from '../../store/store.ts';
import { release } from '../release.ts';
import type { ApiKey } from './api-keys.ts';
import { halt } from './halt.ts';
import type { ControlApiParts } from './parts.ts';
import { RequestError } from './problem.ts';
import { previewRoutes } from './preview-route.ts';
import { getRoute, postRoute } from './route.ts';
import type { Reply, Route } from './route.ts';
import {
  durableAnswer,
  flipsAnswer,
  flipsQuery,
  noQuery,
  okAnswer,
  provisionalAnswer,
  releaseAnswer,
  releaseWords,
  statusAnswer,
  stopMade,
  stopWords,
  switchesAnswer,
} from './schemas.ts';
import type { RefusalLog } from './refusal-log.ts';
import { switchesOf } from './switches.ts';

const ok = (body: unknown): Reply => ({ status: 200, body });
const answer = (means: string, schema: z.ZodType | null) => ({ status: 200, means, schema });

/** Every route that answers in JSON. */
export function routesOf(parts: ControlApiParts, refusals: Pick<RefusalLog, 'status'>): readonly Route[] {
  return [
    haltRoute(parts),
    ...releaseRoutes(parts),
    ...reads(parts, refusals),
    ...fleet(parts),
    ...previewRoutes(parts),
    ...probes(parts),
  ];
}

function haltRoute(parts: ControlApiParts): Route {
  return postRoute(
    {
      ...{ path: '/halt', summary: 'Stop. The smallest body is a reason: that halts everything.', right: 'stop' },
      body: z.union([stopWords, stopMade]),
      readerOf: (body) => (typeof body === 'object' && body !== null && 'text' in body ? stopMade : stopWords),
      answers: [
        answer('It is durable.', durableAnswer),
        { status: 202, means: 'Enforced, not durable yet; sent until it is.', schema: provisionalAnswer },
      ],
    },
    (body, { key }) => halt(parts, body, key),
  );
}

function releaseRoutes(parts: ControlApiParts): readonly Route[] {
  return (['/release', '/reset'] as const).map((path) =>
    postRoute(
      {
        ...{ path, right: 'release', body: releaseWords, answers: [answer('They are closed.', releaseAnswer)] },
        summary: `Close the engagements that are named, all or none${path === '/reset' ? '; another name of /release' : ''}.`,
      },
      (body, { key }) => releaseThose(parts, body, key),
    ),
  );
}

async function releaseThose(
  parts: ControlApiParts,
  { engagements, reason, by, evenIfRed }: z.output<typeof releaseWords>,
  key: ApiKey | null,
): Promise<Reply> {
  const { flips: store, newId, clock, namespace, sign, flipKeys, greenChecks: checks = [] } = parts;
  const name = key?.name ?? 'nobody';
  const request = { namespace, engagements, reason, by: by ?? name, source: `api:${name}` };
  const released = await release(
    { store, newId, clock, sign, keys: flipKeys, checks },
    evenIfRed === undefined ? request : { ...request, evenIfRed },
  );
  await parts.vouch?.();
  const { record } = released.answer;
  const closed = released.closed.map(asEngagement);
  return ok({ id: parseFlip(record.text).id, revision: record.revision, closed, red: released.red });
}

function asEngagement({ revision, flip }: OpenEngagement): unknown {
  return flip.kind === 'stop' ? { ...engagementOf(flip), revision } : { id: flip.id, revision };
}

function reads(parts: ControlApiParts, refusals: Pick<RefusalLog, 'status'>): readonly Route[] {
  const { taker, record, namespace, version } = parts;
  return [
    getRoute(
      {
        ...{ path: '/switches', right: 'read', query: noQuery, answers: [answer('As enforced here.', switchesAnswer)] },
        summary: 'What is stopped now, by whom, and why.',
      },
      () => ok(switchesOf(parts)),
    ),
    getRoute(
      {
        ...{
          path: '/flips',
          right: 'read',
          query: flipsQuery,
          answers: [answer('A page, oldest first.', flipsAnswer)],
        },
        summary: 'The record: each stop and each release, in order.',
      },
      async ({ after, limit }) => {
        const { head, flips } = await record.flipsPage(after, limit);
        return ok({ head, flips });
      },
    ),
    getRoute(
      {
        ...{ path: '/status', right: 'read', query: noQuery, answers: [answer('As of now.', statusAnswer)] },
        summary: 'How this process and its store are.',
      },
      async () => {
        const { head, verified, engagements } = switchesOf(parts);
        const open = engagements.length;
        const [stops, refused] = [taker.status(), refusals.status()];
        const hosted = {
          ...{ executor: parts.executor?.() ?? null, canary: parts.canary?.() ?? null },
          ...{ detectors: parts.detectors?.() ?? null, mirror: parts.mirror?.() ?? null },
          sinks: parts.sinks?.() ?? [],
        };
        const lastProvenMs = (await parts.fleet?.lastProvenMs()) ?? null;
        return ok({
          namespace,
          version,
          head,
          verified,
          open,
          stops,
          refusals: refused,
          lastProvenMs,
          ...hosted,
        });
      },
    ),
  ];
}

function fleet({ fleet: view }: ControlApiParts): readonly Route[] {
  if (view === undefined) return [];
  return [
    getRoute(
      {
        ...{ path: '/workers', right: 'read', query: noQuery, answers: [answer('Each that registered.', z.unknown())] },
        summary: 'The workers of the fleet, as they report.',
      },
      async () => ok({ workers: (await view.facts()).workers }),
    ),
    getRoute(
      {
        ...{ path: '/stops/:id', right: 'read', query: noQuery, answers: [answer('By worker.', z.unknown())] },
        summary: 'How far a stop has come: confirmed, fenced or unconfirmed, by worker.',
      },
      async (_, { id }) => {
        const stop = await view.stop(id);
        if (stop === null) throw new RequestError('NOT_FOUND', `there is no stop '${id.slice(0, 80)}'`, 'path.id');
        return ok(stop);
      },
    ),
  ];
}

function probes({ missing }: ControlApiParts): readonly Route[] {
  const words = { right: 'public', query: noQuery } as const;
  return [
    getRoute(
      { ...words, path: '/healthz', summary: 'Whether the process answers.', answers: [answer('It does.', okAnswer)] },
      () => ok({ ok: true }),
    ),
    getRoute(
      {
        ...{ ...words, path: '/readyz', answers: [answer('It is.', okAnswer)] },
        summary: 'Whether everything is restored: the spool, and the flips of the store.',
      },
      () => {
        const what = missing();
        if (what !== null) throw new RequestError('NOT_READY', what);
        return ok({ ok: true });
      },
    ),
  ];
}
