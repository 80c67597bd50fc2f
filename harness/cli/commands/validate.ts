import { KilldrillError } from '../../../src/errors.ts';
import { EXIT } from '../exit.ts';
import { findScenario, shippedNames } from '../find-scenario.ts';
import { data, note } from '../output.ts';

/** `killdrill validate [scenario…]`: reads scenarios and says what is wrong with each; without names, all that are shipped. */
export function validate(names: readonly string[], { json }: { readonly json?: boolean }): number {
  const results = (names.length === 0 ? shippedNames() : names).map((name) => {
    try {
      return { scenario: name, valid: true, error: null, name: findScenario(name).name };
    } catch (error) {
      if (!(error instanceof KilldrillError)) throw error;
      return { scenario: name, valid: false, error: error.message, name: null };
    }
  });
  if (json === true) data(JSON.stringify(results, null, 2));
  for (const { scenario, error } of results) {
    if (error !== null) note(error);
    else if (json !== true) data(`${scenario}: valid`);
  }
  return results.every(({ valid }) => valid) ? EXIT.pass : EXIT.usage;
}
