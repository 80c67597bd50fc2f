/** The CI systems that `init` knows; `none` is for a project without. */
export const CI_NAMES = ['github', 'gitlab', 'none'] as const;
export type CiName = (typeof CI_NAMES)[number];
