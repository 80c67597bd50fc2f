/** What people look for who come from another kill switch or circuit breaker, and what it is called here. */
export const EARLIER_NAMES: readonly (readonly [earlier: string, here: string, difference: string])[] = [
  [
    '`trip`',
    '`killdrill halt`; a flip of kind `stop`',
    'opens one engagement, with a name and a reason; it is durable before it is acknowledged',
  ],
  ['`engage`', '`killdrill halt`', 'two incidents are two engagements on one switch; neither lifts the other'],
  [
    '`disengage`, `reset()`',
    '`killdrill release`',
    'closes the engagements that it names; red while the fleet runs what it ran at the stop; stop and release are separate rights',
  ],
  ['`/reset`', '`killdrill release`', 'nothing closes everything that is open without naming it'],
  [
    '`is_halted`',
    '`gate.bind(capability).refusal()`',
    'to look; to be held use `gate.run`, which asks again at the last moment and journals what it lets through',
  ],
  [
    '`CircuitBreakerTripped`',
    '`HaltedError`, exported under both names',
    '`retryable` is false; the same object again for each later call of a stopped run',
  ],
  [
    'a breaker that is open',
    'an engagement that is open',
    'it never closes by itself, after no time and no trial call',
  ],
  ['a breaker for each service', 'a switch of scope `capability`', 'such as `write/mail`, or `write/*` for all below'],
  ['a flag that agents read', 'the registry and its lease', 'an agent that cannot ask whether it may go on does not'],
];
