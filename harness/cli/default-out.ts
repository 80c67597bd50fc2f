/** Where bundles go unless told otherwise. */
export const DEFAULT_OUT = 'reports';
