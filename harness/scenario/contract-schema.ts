import { dictionary, map, text } from './leaf.ts';
import { LIMITS } from './limits.ts';
import { LINE } from './line.ts';

const version = text(LINE, { min: 1, max: LIMITS.nameLength }, 'a version of one line', "'3'");
const tools = dictionary(
  version,
  {
    pattern: /^[A-Za-z][\w./-]{0,63}$/,
    range: LIMITS.tools,
    one: 'the name of a tool: a letter, then letters, digits, _ . / or -',
    many: 'versions by tool',
  },
  "{ search: '3' }",
);

/** What the agents run: a release is red while it is what ran at the stop. */
export const contractSchema = map(
  {
    model: text(LINE, { min: 1, max: LIMITS.nameLength }, 'the name of a model, of one line', 'large-2'),
    prompt: text(LINE, { min: 1, max: LIMITS.nameLength }, "a prompt's version, of one line", 'support-7'),
    tools: tools.prefault({}).describe('Version of each tool.'),
  },
  '{ model: large-2, prompt: support-7 }',
);
