import { readFile } from 'node:fs/promises';
import type { StoredBundle } from '../bundle/open.ts';
import { hasAlerts } from '../drill/alerting.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { AlertBus } from './regression-file.ts';

/** What the alerts of a stored run went over, by its `environment.json`; null for a run without alerts. */
export async function alertBusOf(bundle: StoredBundle, scenario: Scenario): Promise<AlertBus | null> {
  if (!hasAlerts(scenario)) return null;
  const facts: unknown = JSON.parse(await readFile(bundle.path('environment.json'), 'utf8'));
  const { environment } = facts as { readonly environment?: Readonly<Record<string, unknown>> };
  return String(environment?.['alert bus']).startsWith('PostgreSQL') ? 'postgresql' : 'kafka';
}
