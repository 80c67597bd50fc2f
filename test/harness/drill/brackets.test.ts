import { describe, expect, it } from 'vitest';
import { Brackets, inBrackets } from '../../../harness/drill/brackets.ts';

describe('brackets', () => {
  it('end what was begun, the last first, each once', async () => {
    const ended: string[] = [];
    const brackets = new Brackets();
    for (const name of ['a', 'b', 'c']) brackets.add(() => void ended.push(name));
    await brackets.close();
    await brackets.close();
    expect(ended).toEqual(['c', 'b', 'a']);
  });

  it('end the others when one cannot be ended, and tell the first failure', async () => {
    const ended: string[] = [];
    const brackets = new Brackets();
    brackets.add(() => void ended.push('a'));
    brackets.add(() => Promise.reject(new Error('b hangs')));
    brackets.add(() => Promise.reject(new Error('c hangs')));
    await expect(brackets.close()).rejects.toThrow('c hangs');
    expect(ended).toEqual(['a']);
  });
});

describe('inBrackets', () => {
  it('tells what broke first, not the end that failed because of it', async () => {
    const ended: string[] = [];
    const using = inBrackets((brackets) => {
      brackets.add(() => void ended.push('a'));
      brackets.add(() => Promise.reject(new Error('cannot be ended')));
      return Promise.reject(new Error('interrupted'));
    });
    await expect(using).rejects.toThrow('interrupted');
    expect(ended).toEqual(['a']);
  });

  it('answers what the use answers, once all has ended', async () => {
    const ended: string[] = [];
    const answer = await inBrackets((brackets) => {
      brackets.add(() => void ended.push('a'));
      return Promise.resolve(7);
    });
    expect({ answer, ended }).toEqual({ answer: 7, ended: ['a'] });
    await expect(
      inBrackets((brackets) => {
        brackets.add(() => Promise.reject(new Error('cannot be ended')));
        return Promise.resolve(7);
      }),
    ).rejects.toThrow('cannot be ended');
  });
});
