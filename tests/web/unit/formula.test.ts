// SPDX-License-Identifier: MIT
import { render } from '@lit-labs/ssr';
import { collectResult } from '@lit-labs/ssr/lib/render-result.js';
import { describe, expect, test } from 'vitest';
import {
  equation,
  names,
  number,
  parse,
  symbol,
  type Draw,
  type Node,
} from '../../../web/src/formula';

/** The test's own reading of a tree, to see that the tree means what the text says. */
function value(n: Node | null, of: Record<string, number>): number {
  if (!n) return Number.NaN;
  switch (n.type) {
    case 'number':
      return n.value;
    case 'name':
      return of[n.id] ?? Number.NaN;
    case 'negate':
      return -value(n.of, of);
    case 'call':
      return (Math[n.name as 'max'] as (...x: number[]) => number)(
        ...n.args.map((a) => value(a, of)),
      );
    case 'binary': {
      const [a, b] = [value(n.left, of), value(n.right, of)];
      return { '+': a + b, '-': a - b, '*': a * b, '/': a / b, '^': a ** b }[n.op];
    }
  }
}

const text = async (template: unknown) =>
  (await collectResult(render(template))).replace(/<!--.*?-->/g, '').replace(/\s+/g, ' ');

describe('grammar', () => {
  test.each([
    ['6*params.matmul*run.tokens', 6 * 7 * 11],
    ['2+3*4', 14],
    ['(2+3)*4', 20],
    ['2^3^2', 512],
    ['-2^2', -4],
    ['10-3-2', 5],
    ['100/5/2', 10],
    ['ceil(7/2)+floor(7/2)', 7],
    ['max(1, 2, run.tokens) - min(3, 4)', 8],
    ['sqrt(16)', 4],
    ['1e15*86400', 8.64e19],
    [' params.matmul / (1 - 0.5) ', 14],
  ])('%s', (formula, expected) =>
    expect(value(parse(formula), { 'params.matmul': 7, 'run.tokens': 11 })).toBe(expected),
  );

  test.each(['', '2+', '(2', '2)', '2 3', 'a b', '*2', 'max(,)', 'f(', '2 $ 3'])(
    'what is no formula is null: "%s"',
    (formula) => expect(parse(formula)).toBeNull(),
  );

  test('names come once, in reading order', () =>
    expect(names(parse('a.b*c + max(a.b, d_1.e)^c'))).toEqual(['a.b', 'c', 'd_1.e']));
});

describe('drawing', () => {
  const as: Draw = { name: (id) => symbol(id.toUpperCase()) };
  const drawn = (formula: string) => text(equation('', parse(formula) as Node, as));

  test('a quotient is a fraction', async () =>
    expect(await drawn('a/b')).toContain(
      '<mfrac><mrow><mi>A</mi></mrow><mrow><mi>B</mi></mrow></mfrac>',
    ));

  test('a sum under a product keeps its brackets, a product under a sum needs none', async () => {
    expect(await drawn('(a+b)*c')).toContain('<mo>(</mo>');
    expect(await drawn('a*b+c')).not.toContain('<mo>(</mo>');
  });

  test('what is subtracted as a whole keeps its brackets', async () =>
    expect(await drawn('a-(b-c)')).toContain('<mo>(</mo>'));

  test('a long sum is one <math> per term, so that it can wrap', async () =>
    expect((await drawn('a+b+c+d')).match(/<math\b/g)).toHaveLength(5));

  test('large numbers are written as powers of ten', async () =>
    expect(await text(number(4.0585e11))).toBe(
      '<mrow><mn>4.059</mn><mo>×</mo><msup><mn>10</mn><mn>11</mn></msup></mrow>',
    ));

  test('symbols have subscripts and Greek letters', async () => {
    expect(await text(symbol('N_{emb}'))).toBe('<msub><mi>N</mi><mi>emb</mi></msub>');
    expect(await text(symbol('alpha_N'))).toBe('<msub><mi>α</mi><mi>N</mi></msub>');
    expect(await text(symbol('δ'))).toBe('<mi>δ</mi>');
    expect(await text(symbol('D/N'))).toBe('<mrow><mi>D</mi><mo>/</mo><mi>N</mi></mrow>');
  });

  test('markup in a symbol is text', async () =>
    expect(await text(symbol('<b>'))).not.toContain('<b>'));
});
