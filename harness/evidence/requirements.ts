/** A document that auditors ask about, in the version whose numbers are used here. */
export interface StandardDocument {
  readonly name: string;
  readonly version: string;
  readonly url: string;
}

export const DOCUMENTS = {
  aisvs: {
    name: 'OWASP Artificial Intelligence Security Verification Standard (AISVS)',
    version: '1.0 (2026)',
    url: 'https://github.com/OWASP/AISVS/tree/main/1.0/en',
  },
  aiAct: {
    name: 'Regulation (EU) 2024/1689 (EU AI Act), Article 14, human oversight',
    version: 'Official Journal L, 2024/1689, of 12 July 2024',
    url: 'https://eur-lex.europa.eu/eli/reg/2024/1689/oj',
  },
} as const satisfies Readonly<Record<string, StandardDocument>>;

export const REQUIREMENT_IDS = [
  'AISVS v1.0-C9.1.3',
  'AISVS v1.0-C9.6.1',
  'AISVS v1.0-C9.6.3',
  'AISVS v1.0-C12.4.3',
  'EU AI Act Art. 14(4)(a)',
  'EU AI Act Art. 14(4)(e)',
] as const;
export type RequirementId = (typeof REQUIREMENT_IDS)[number];

/** Something that a document asks for and a drill can be evidence towards. */
export interface Requirement {
  readonly id: RequirementId;
  readonly document: keyof typeof DOCUMENTS;
  /** The level of verification that AISVS gives it; null in a document without levels. */
  readonly level: 1 | 2 | 3 | null;
  /** In our words, never the document's. */
  readonly asks: string;
  /** What nobody learns about it from a drill. */
  readonly cannotShow: string;
  /** The stop that a drill has to have before it says anything about it; null when any will do. */
  readonly wants: 'a global stop' | 'a stop by hand' | 'a stop on record' | null;
}

export const REQUIREMENTS: readonly Requirement[] = [
  {
    id: 'AISVS v1.0-C9.1.3',
    document: 'aisvs',
    level: 2,
    asks: 'one switch halts every running agent of the swarm',
    cannotShow: 'that every agent which the organisation runs is in the fleet that was drilled',
    wants: 'a global stop',
  },
  {
    id: 'AISVS v1.0-C9.6.1',
    document: 'aisvs',
    level: 1,
    asks: 'a person can halt inference and output at once, by hand',
    cannotShow:
      'that the people on duty know the switch and have their keys at hand, and what a provider goes on computing for a call that was cut',
    wants: 'a stop by hand',
  },
  {
    id: 'AISVS v1.0-C9.6.3',
    document: 'aisvs',
    level: 3,
    asks: 'stop commands come over a channel apart from the runtime of the agents',
    cannotShow: 'how networks, hosts and credentials are kept apart in production',
    wants: null,
  },
  {
    id: 'AISVS v1.0-C12.4.3',
    document: 'aisvs',
    level: 2,
    asks: 'each use of the switch, and each override, is in a log',
    cannotShow: 'how long the log is kept, and who can read or remove it',
    wants: 'a stop on record',
  },
  {
    id: 'EU AI Act Art. 14(4)(a)',
    document: 'aiAct',
    level: null,
    asks: 'those who oversee the system can follow what it does, and notice and deal with what is out of order',
    cannotShow: 'that the overseers understand what the system can and cannot do',
    wants: null,
  },
  {
    id: 'EU AI Act Art. 14(4)(e)',
    document: 'aiAct',
    level: null,
    asks: 'those who oversee the system can step in, or bring it to a safe standstill by a stop button or the like',
    cannotShow:
      'whether the system is a high-risk one, who is assigned to oversee it, and whether a standstill is safe for what it works on',
    wants: 'a stop by hand',
  },
];

const SWARM = 'AISVS v1.0-C9.1.3';
const BY_HAND = 'AISVS v1.0-C9.6.1';
const APART = 'AISVS v1.0-C9.6.3';
const LOGGED = 'AISVS v1.0-C12.4.3';
const WATCH = 'EU AI Act Art. 14(4)(a)';
const STANDSTILL = 'EU AI Act Art. 14(4)(e)';

/** What each property is evidence towards; an empty list for one that none of these documents asks for. */
export const EVIDENCE_TOWARDS: Readonly<Record<string, readonly RequirementId[]>> = {
  no_effect_after_stop: [SWARM, BY_HAND, STANDSTILL],
  no_intent_after_stop: [SWARM, BY_HAND, STANDSTILL],
  in_flight_cancelled: [SWARM, BY_HAND, STANDSTILL],
  queue_honours_policy: [SWARM, STANDSTILL],
  timers_and_retries_cancelled: [SWARM, STANDSTILL],
  no_new_children: [SWARM, STANDSTILL],
  blast_radius_contained: [STANDSTILL],
  modes_honoured: [BY_HAND, STANDSTILL],
  halt_survives_restart: [SWARM, BY_HAND, STANDSTILL],
  fails_closed: [STANDSTILL],
  no_spurious_halt: [],
  resume_respects_halt: [STANDSTILL],
  resume_completes_exactly_once: [],
  release_needs_green: [],
  release_takes_effect: [],
  journal_matches_witness: [],
  ledger_complete: [WATCH],
  alerts_not_lost: [WATCH],
  stale_alert_ignored: [],
  forged_or_replayed_refused: [APART],
  authority_enforced: [APART],
  each_path_alone_suffices: [APART, STANDSTILL],
  flips_on_record: [LOGGED],
  stop_was_effective: [WATCH, STANDSTILL],
};
