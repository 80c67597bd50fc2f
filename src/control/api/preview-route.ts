import { GLOBAL_TARGET } from '../../switch.ts';
import { previewStop } from '../preview.ts';
import type { ControlApiParts } from './parts.ts';
import { RequestError } from './problem.ts';
import { getRoute } from './route.ts';
import type { Route } from './route.ts';
import { previewAnswer, previewQuery } from './schemas.ts';

/** Longest wait for the store, milliseconds. */
const BOUND_MS = 6_000;
/** Each counts tasks and calls in the store: whoever asks for more at once is told to wait. */
const AT_ONCE = 4;

/** What a stop would hit, and what narrower ones would. */
export function previewRoutes({ preview: store, clock }: ControlApiParts): readonly Route[] {
  if (store === undefined) return [];
  let asking = 0;
  return [
    getRoute(
      {
        ...{ path: '/preview', right: 'read', query: previewQuery },
        summary: 'What a stop would hit, and what narrower ones would. Nothing is stopped.',
        answers: [{ status: 200, means: 'Counted in one snapshot.', schema: previewAnswer }],
      },
      async ({ scope, target = GLOBAL_TARGET, mode }) => {
        if (asking >= AT_ONCE) {
          throw new RequestError(
            'TOO_MANY_PREVIEWS',
            `${AT_ONCE} previews are being counted; try again. A stop needs none`,
          );
        }
        asking += 1;
        try {
          const previewed = await previewStop({ store, clock, boundMs: BOUND_MS }, { scope, target }, mode);
          if (previewed.kind === 'unseen') throw unseen(previewed.why);
          return { status: 200, body: { scope, target, mode, preview: previewed.preview } };
        } finally {
          asking -= 1;
        }
      },
    ),
  ];
}

function unseen(why: string): RequestError {
  return new RequestError(
    'PREVIEW_UNSEEN',
    `what it would hit cannot be seen (${why}); the stop itself does not need this`,
  );
}
