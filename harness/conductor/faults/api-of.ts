import { KilldrillError } from '../../../src/errors.ts';
import type { DrilledApi } from '../../fleet/drilled-api.ts';
import type { FaultGround } from '../fault.ts';

/** The drill's control API. @throws KilldrillError `API_GONE` where it has none */
export function apiOf({ api }: FaultGround): DrilledApi {
  if (api !== null) return api;
  throw new KilldrillError(
    'API_GONE',
    'this drill has no API: no flip of its timeline goes over one, and no fault hits it',
  );
}
