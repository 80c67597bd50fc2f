import { KilldrillError } from '../../src/errors.ts';
import { EXIT_CODES } from '../checkers/verdict-file.ts';

/** Exit codes of every command (DESIGN §4.9). */
export const EXIT = {
  pass: EXIT_CODES.pass,
  failed: EXIT_CODES.fail,
  inconclusive: EXIT_CODES.inconclusive,
  usage: 3,
  error: EXIT_CODES.error,
  interrupted: 130,
  terminated: 143,
} as const;

/** Each exit code with its meaning, for help and reference. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.pass, 'every property that applies holds; what an operator asked for is done'],
  [
    EXIT.failed,
    'a property or an expectation is violated; a release is red; the record is not what it was; of two runs, the second has a worse verdict; a drill is overdue',
  ],
  [
    EXIT.inconclusive,
    'nothing is violated, but something could not be established; a stop is in the hands of the API and not durable yet',
  ],
  [EXIT.usage, 'bad usage, a scenario that cannot be read, or a request that names what is not there'],
  [EXIT.error, 'the infrastructure or the harness failed; a stop is not durable, and nobody is sending it'],
  [EXIT.interrupted, 'interrupted (Ctrl-C)'],
  [EXIT.terminated, 'terminated (SIGTERM)'],
];

/** Thrown through a drill when a signal asked for its end. */
export class InterruptedError extends KilldrillError {
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super('INTERRUPTED', `stopped by ${signal}; everything that was started has been ended`);
    this.exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  }
}

const USAGE_CODES = new Set([
  'API_KEYS_INVALID',
  'DETECTOR_KEYS_INVALID',
  'SCENARIO_INVALID',
  'SCENARIO_MISSING',
  'USAGE',
  'ENVIRONMENT_LACKS',
  'EXTERNAL_HOST',
  'EXTERNAL_SETTINGS',
  'BUNDLE_MISSING',
  'BUNDLE_ALTERED',
  'BUNDLE_FILE_MISSING',
  'BUNDLE_UNFINISHED',
  'CALENDAR_INVALID',
  'GATE_FILE_INVALID',
  'GATE_PROFILE',
  'REGRESSION_EXISTS',
  'REGRESSION_UNREADABLE',
  'REGRESSIONS_MISSING',
  'MUTANT_UNKNOWN',
  'ASKER_INVALID',
  'CRITICAL_RULES_INVALID',
  'ENGAGEMENT_NOT_OPEN',
  'FLIP_UNREADABLE',
  'INTENT_NOT_DUE',
  'INTENT_UNKNOWN',
  'INVENTORY_INVALID',
  'NAMESPACE_NAME',
  'NAMESPACE_UNKNOWN',
  'NOT_CONFIRMED',
  'RESUME_INVALID',
  'RUN_NOT_STOPPED',
  'FLIP_KEYS_INVALID',
  'KEY_NOT_MADE',
  'SIGNING_KEY_UNREADABLE',
  'SINK_INVALID',
  'HMAC_KEY_SHORT',
  'TLS_INVALID',
  'MAPPING_INVALID',
  'RECORD_UNREADABLE',
  'CLOCKS_DISAGREE',
  'INCIDENT_EMPTY',
  'INCIDENT_TOO_LARGE',
  'INCIDENT_TOO_LONG',
]);

/** The exit code that an error means. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return error.exitCode;
  if (error instanceof KilldrillError && error.code === 'RELEASE_NOT_GREEN') return EXIT.failed;
  if (error instanceof KilldrillError && USAGE_CODES.has(error.code)) return EXIT.usage;
  return EXIT.error;
}
