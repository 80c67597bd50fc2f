import { createHmac } from 'node:crypto';
import { CAPABILITY } from '../scenario/timeline-schema.ts';
import { LIMITS } from '../scenario/limits.ts';
import { LINE } from '../scenario/line.ts';
import { SPAWN_CAPABILITY } from '../traffic/trace.ts';
import type { Findings } from './finding.ts';
import type { Mapping, RedactionRule } from './mapping-schema.ts';
import { ownText } from './row.ts';

/** What is redacted by a rule of its own. */
export type RedactedField = 'tenant' | 'feature' | 'agent' | 'run';
const FIELDS: readonly RedactedField[] = ['tenant', 'feature', 'agent', 'run'];

const HASH_LENGTH = 12;
/** A run's id goes into a header of every call of it. */
const SENDABLE = /^[\x21-\x7e]{1,200}$/;
/** The harness names its own runs so. */
const OWN_RUNS = /^(?:primed|probe|runaway)-/;

/** Turns the names of an incident into those of a drill: by the mapping's rules, and so that a drill can carry them. */
export class Redactor {
  readonly #rules: Mapping['redact'];
  readonly #salt: string;
  readonly #known: Readonly<Record<RedactedField | 'capability', Map<string, string>>>;
  #unfit = 0;
  #renamed = 0;

  /** @param salt without it, hashes could be looked up by hashing every name that somebody may guess */
  constructor(rules: Mapping['redact'], salt: string) {
    this.#rules = rules;
    this.#salt = salt;
    const none = (): Map<string, string> => new Map();
    this.#known = { tenant: none(), feature: none(), agent: none(), run: none(), capability: none() };
  }

  /** The name that stands for this one, the same every time. */
  name(field: RedactedField, name: string): string {
    return remembered(this.#known[field], name, () => this.#fit(field, this.#apply(field, this.#rules[field], name)));
  }

  capability(name: string): string {
    return remembered(this.#known.capability, name, () => {
      const isPattern = name.endsWith('/*');
      const plain = isPattern ? name.slice(0, -2) : name;
      const clean =
        plain
          .replace(/[^\w./-]+/g, '-')
          .replace(/\/{2,}/g, '/')
          .replace(/^\/|\/$/g, '') || 'unnamed';
      const fit = (CAPABILITY.test(clean) ? clean : 'unnamed').slice(0, LIMITS.targetLength - 2);
      const own = fit === SPAWN_CAPABILITY ? 'agent/start' : fit;
      if (own !== plain) this.#renamed += 1;
      return isPattern ? `${own}/*` : own;
    });
  }

  /** A reason is free text: who knows what it says. Null for none that is kept. */
  reason(text: string | null): string | null {
    const rule = this.#rules.reason;
    if (text === null || rule === 'drop') return null;
    if (rule === 'hash') return `reason ${this.#hash('reason', text)}`;
    if (rule === 'keep') return LINE.test(text) ? ownText(text).slice(0, LIMITS.textLength) : null;
    const replaced = Object.hasOwn(rule.replace, text) ? rule.replace[text] : undefined;
    if (replaced !== undefined) return replaced;
    return rule.otherwise === 'keep' ? text : rule.otherwise === 'hash' ? `reason ${this.#hash('reason', text)}` : null;
  }

  tell(findings: Findings): void {
    for (const field of FIELDS) {
      const names = this.#known[field].size;
      const rule = this.#rules[field];
      const how =
        typeof rule === 'string' ? WORDS[rule] : `replaced by the mapping’s list, all others ${WORDS[rule.otherwise]}`;
      if (names > 0) findings.add('redacted', `${field}: ${names} different names, ${how}`);
    }
    const { reason } = this.#rules;
    findings.add(
      'redacted',
      `reasons of flips: ${typeof reason === 'string' ? WORDS[reason] : 'replaced by the mapping’s list'}`,
    );
    findings.count(
      'corrected',
      this.#unfit,
      'names were hashed because a drill cannot carry them: too long, or of odd characters',
    );
    findings.count(
      'corrected',
      this.#renamed,
      'capabilities were renamed because a drill cannot carry them as they are',
    );
  }

  #apply(field: RedactedField, rule: RedactionRule, name: string): string {
    if (rule === 'keep') return ownText(name);
    if (rule === 'hash') return `${field}-${this.#hash(field, name)}`;
    if (rule === 'drop') return field === 'run' ? `run-${this.#known.run.size + 1}` : `some-${field}`;
    const replaced = Object.hasOwn(rule.replace, name) ? rule.replace[name] : undefined;
    return replaced ?? this.#apply(field, rule.otherwise, name);
  }

  #fit(field: RedactedField, name: string): string {
    const fits = field === 'run' ? SENDABLE.test(name) : LINE.test(name) && name.length <= LIMITS.targetLength;
    if (fits && !name.startsWith('$') && !(field === 'run' && OWN_RUNS.test(name))) return name;
    this.#unfit += 1;
    return `${field}-${this.#hash(field, name)}`;
  }

  #hash(field: string, text: string): string {
    return createHmac('sha256', this.#salt).update(`${field} ${text}`).digest('hex').slice(0, HASH_LENGTH);
  }
}

const WORDS = { keep: 'kept in clear', hash: 'hashed', drop: 'dropped' } as const;

function remembered(known: Map<string, string>, name: string, make: () => string): string {
  const there = known.get(name);
  if (there !== undefined) return there;
  const made = make();
  known.set(ownText(name), made);
  return made;
}
