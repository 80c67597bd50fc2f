/** What a drill's verdict may be told as. */
export const REPORTER_NAMES = ['terminal', 'html', 'junit', 'md', 'github', 'json'] as const;
export type ReporterName = (typeof REPORTER_NAMES)[number];
