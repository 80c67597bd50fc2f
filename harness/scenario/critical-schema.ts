import { z } from 'zod';
import type { Switch } from '../../src/switch.ts';
import { dictionary, list, map, text } from './leaf.ts';
import { LIMITS } from './limits.ts';
import { LINE } from './line.ts';
import { readSwitch } from './switch-text.ts';

const capability = text(LINE, { min: 1, max: LIMITS.targetLength }, 'a capability or a pattern', 'model/chat');
const covered = text(LINE, { min: 1, max: LIMITS.targetLength }, 'a switch', 'feature:billing').transform(toSwitch);

function toSwitch(word: string, context: z.RefinementCtx): Switch {
  const on = readSwitch(word);
  if ('scope' in on) return on;
  context.addIssue({ code: 'custom', message: `${on.expected}\n${on.fix}`, input: word });
  return z.NEVER;
}

const classes = dictionary(
  list(covered, LIMITS.switchesPerClass, 'switches', '[feature:billing]'),
  {
    // No digits in front: JavaScript would move such a key, and the first class that covers a task counts.
    pattern: /^[a-z][a-z0-9_-]{0,63}$/,
    range: LIMITS.classes,
    one: 'the name of a class: a small letter, then small letters, digits, _ or -',
    many: 'classes with their switches',
  },
  "{ money: ['feature:billing'] }",
);

/** What the operator declares critical. */
export const criticalSchema = map(
  {
    capabilities: list(capability, LIMITS.criticalCapabilities, 'capabilities', '[model/chat]')
      .prefault([])
      .describe('Calls of these pass a halt_noncritical.'),
    classes: classes.prefault({}).describe('Tasks of these pass it: a name, and switches that cover them.'),
  },
  "{ capabilities: [model/chat], classes: { money: ['feature:billing'] } }",
);
