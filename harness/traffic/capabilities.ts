/** The capabilities that generated traffic uses, and whether each reads or writes. */
export const CAPABILITIES = {
  'model/chat': 'read',
  'tool/search': 'read',
  'read/crm': 'read',
  'write/mail': 'write',
  'write/crm': 'write',
  'webhook/notify': 'write',
  'agent/spawn': 'write',
} as const;
export type Capability = keyof typeof CAPABILITIES;
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as readonly Capability[];

/** A capability that a run calls; the other one starts a run. */
export type CallCapability = Exclude<Capability, 'agent/spawn'>;
export const CALL_CAPABILITIES = CAPABILITY_NAMES.filter((name): name is CallCapability => name !== 'agent/spawn');
