/** What an expression may name: inputs, what steps gave, and so on. What is not there is refused, where a runner would take nothing. */
export interface Contexts {
  readonly [name: string]: string | Contexts;
}

/** Whether the steps before have failed, for `success()`, `failure()` and `always()`. */
export interface Surroundings {
  readonly contexts: Contexts;
  readonly hasFailed: boolean;
}

type Value = string | boolean;

const TOKEN =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<operator>&&|\|\||==|!=|!|\(|\))|(?<path>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*))/y;

/** Replaces each `${{ … }}` of a text. */
export function filledIn(text: string, around: Surroundings): string {
  const filled = text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => String(evaluate(expression, around)));
  if (filled.includes('${{')) throw new Error(`an expression is not closed in: ${text}`);
  return filled;
}

/** Whether a step with this `if` runs; like a runner's, it is `success() && …` where it asks for no status itself. */
export function holds(condition: string | undefined, around: Surroundings): boolean {
  if (condition === undefined) return !around.hasFailed;
  const expression = /^\s*\$\{\{(?<inner>.*)\}\}\s*$/s.exec(condition)?.groups?.['inner'] ?? condition;
  const asks = /\b(?:success|failure|always|cancelled)\(/.test(expression);
  return (asks || !around.hasFailed) && isTrue(evaluate(expression, around));
}

/**
 * The value of an expression of GitHub Actions: texts, names, `==`, `!=`, `!`, `&&`, `||`, brackets and the status functions.
 *
 * @throws Error for everything else
 */
export function evaluate(expression: string, around: Surroundings): Value {
  const tokens = tokensOf(expression);
  let at = 0;
  const take = (operator: string): boolean => {
    if (tokens[at] !== operator) return false;
    at += 1;
    return true;
  };
  const or = (): Value => {
    let value = and();
    while (take('||')) {
      const right = and();
      value = isTrue(value) ? value : right;
    }
    return value;
  };
  const and = (): Value => {
    let value = equal();
    while (take('&&')) {
      const right = equal();
      value = isTrue(value) ? right : value;
    }
    return value;
  };
  const equal = (): Value => {
    const left = one();
    for (const operator of ['==', '!='] as const) {
      if (!take(operator)) continue;
      const right = one();
      if (typeof left !== typeof right) throw new Error(`unlike values are compared in: ${expression}`);
      return (String(left).toLowerCase() === String(right).toLowerCase()) === (operator === '==');
    }
    return left;
  };
  const one = (): Value => {
    if (take('!')) return !isTrue(one());
    if (take('(')) {
      const value = or();
      if (!take(')')) throw new Error(`a bracket is not closed in: ${expression}`);
      return value;
    }
    const token = tokens[at];
    if (token === undefined || /^\W/.test(token.replace(/^'/, 'a')))
      throw new Error(`a value is missing in: ${expression}`);
    at += 1;
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (tokens[at] === '(') {
      at += 1;
      if (!take(')')) throw new Error(`${token}() with arguments is not known here: ${expression}`);
      return status(token, around);
    }
    return lookUp(token, around.contexts);
  };
  const value = or();
  if (at < tokens.length) throw new Error(`'${tokens[at] ?? ''}' is not understood in: ${expression}`);
  return value;
}

function tokensOf(expression: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const text = expression.trim();
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`'${text.slice(from)}' is not understood in: ${expression}`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

function status(name: string, { hasFailed }: Surroundings): boolean {
  if (name === 'always') return true;
  if (name === 'failure') return hasFailed;
  if (name === 'success') return !hasFailed;
  throw new Error(`the function ${name}() is not known here`);
}

function lookUp(path: string, contexts: Contexts): Value {
  if (path === 'true' || path === 'false') return path === 'true';
  let value: string | Contexts | undefined = contexts;
  for (const name of path.split('.')) value = typeof value === 'object' ? value[name] : undefined;
  if (typeof value !== 'string') throw new Error(`nothing gives '${path}' here`);
  return value;
}

function isTrue(value: Value): boolean {
  return value !== false && value !== '';
}
