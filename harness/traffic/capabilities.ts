/** The capabilities that generated traffic uses, and whether each reads or writes. */
export const CAPABILITIES = {
  'model/chat': 'read',
  'tool/search': 'read',
  'read/crm': 'read',
  'write/mail': 'write',
  'write/crm': 'write',
  'webhook/notify': 'write',
} as const;
export type Capability = keyof typeof CAPABILITIES;
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as readonly Capability[];
