// SPDX-License-Identifier: MIT
// A formula string of the ledger, `6*params.matmul*compute.tokens`, as a tree and as MathML: once with
// symbols, once with values. The core proves that the string is the arithmetic; this file only draws it.
import { html, mathml, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { mantissa, significant } from './units';

export type Node =
  | { type: 'number'; value: number; text: string }
  | { type: 'name'; id: string }
  | { type: 'negate'; of: Node }
  | { type: 'call'; name: string; args: Node[] }
  | { type: 'binary'; op: '+' | '-' | '*' | '/' | '^'; left: Node; right: Node };

const kToken =
  /\s*(?:(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)|([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*)|([-+*/^(),]))/iy;

const kParsed = new Map<string, Node | null>(); // there are some hundred formulas in all

/** Null when the text is not a formula of this grammar; the page then shows the text itself. */
export function parse(text: string): Node | null {
  let tree = kParsed.get(text);
  if (tree === undefined) kParsed.set(text, (tree = read(text)));
  return tree;
}

function read(text: string): Node | null {
  const tokens: { kind: 'number' | 'name' | 'op'; text: string }[] = [];
  const source = text.trimEnd();
  kToken.lastIndex = 0;
  while (kToken.lastIndex < source.length) {
    const match = kToken.exec(source);
    if (!match) return null;
    const [, number, name, op] = match;
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else tokens.push({ kind: 'op', text: op as string });
  }
  let at = 0;
  const peek = () => tokens[at]?.text ?? '';
  const take = (word: string) => (peek() === word ? (at++, true) : false);

  const binary = (ops: string[], next: () => Node | null) => (): Node | null => {
    let left = next();
    while (left && tokens[at]?.kind === 'op' && ops.includes(peek())) {
      const op = tokens[at++]?.text as '+';
      const right = next();
      left = right && { type: 'binary', op, left, right };
    }
    return left;
  };
  const sum = (): Node | null => binary(['+', '-'], product)();
  const product = binary(['*', '/'], unary);
  function unary(): Node | null {
    if (!take('-')) return powered();
    const of = unary();
    return of && { type: 'negate', of };
  }
  function powered(): Node | null {
    const left = atom();
    if (!left || !take('^')) return left;
    const right = unary(); // right-associative
    return right && { type: 'binary', op: '^', left, right };
  }
  function atom(): Node | null {
    const token = tokens[at++];
    if (!token) return null;
    if (token.kind === 'number')
      return { type: 'number', value: Number(token.text), text: token.text };
    if (token.text === '(') {
      const inside = sum();
      return take(')') ? inside : null;
    }
    if (token.kind !== 'name') return null;
    if (!take('(')) return { type: 'name', id: token.text };
    const args: Node[] = [];
    do {
      const arg = sum();
      if (!arg) return null;
      args.push(arg);
    } while (take(','));
    return take(')') ? { type: 'call', name: token.text, args } : null;
  }
  const tree = sum();
  return at === tokens.length ? tree : null;
}

/** The ids that a formula reads, each once, in reading order. */
export function names(node: Node | null): string[] {
  const found = new Set<string>();
  const visit = (n: Node): void => {
    if (n.type === 'name') found.add(n.id);
    else if (n.type === 'negate') visit(n.of);
    else if (n.type === 'call') n.args.forEach(visit);
    else if (n.type === 'binary') (visit(n.left), visit(n.right));
  };
  if (node) visit(node);
  return [...found];
}

type Drawn = TemplateResult | string | typeof nothing;

/** A number as MathML: scientific from a million up, as it is written in the formulas' papers. */
export function number(x: number): Drawn {
  if (!Number.isFinite(x)) return mathml`<mi>n/a</mi>`;
  const size = Math.abs(x);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) {
    const { text, exponent } = mantissa(x, 4);
    const digits = text.replace(/\.?0+$/, '');
    const power = mathml`<msup><mn>10</mn><mn>${String(exponent).replace('-', '−')}</mn></msup>`;
    return digits === '1' ? power : mathml`<mrow><mn>${digits}</mn><mo>×</mo>${power}</mrow>`;
  }
  const text = Number.isInteger(x) ? String(x) : significant(x, 4).replace(/,/g, '');
  return mathml`<mn>${text.includes('.') ? text.replace(/\.?0+$/, '') : text}</mn>`;
}

const kGreek: ReadonlyMap<string, string> = new Map([
  ['alpha', 'α'],
  ['beta', 'β'],
  ['gamma', 'γ'],
  ['delta', 'δ'],
  ['epsilon', 'ε'],
]);
const greek = (word: string) => kGreek.get(word) ?? word;
const kPiece = /([\p{L}\d]+)(?:_(?:\{([^}]*)\}|([\p{L}\d]+)))?|(\S)/gu;

/** A symbol of the metric table: `C`, `M_w`, `t_{step}`, `D/N`, `r+c`. */
export function symbol(text: string): Drawn {
  const pieces = [...text.matchAll(kPiece)].map(([, word, braced, plain, sign]) => {
    if (word === undefined) return mathml`<mo>${sign}</mo>`;
    const below = braced ?? plain;
    const base = mathml`<mi>${greek(word)}</mi>`;
    return below === undefined ? base : mathml`<msub>${base}<mi>${below}</mi></msub>`;
  });
  return pieces.length === 1 ? pieces[0]! : mathml`<mrow>${pieces}</mrow>`;
}

export interface Draw {
  name(id: string): Drawn;
  /** Whether a value drawn for this id is a product (`4 × 10^9`) and needs brackets under a power. */
  wide?(id: string): boolean;
}

const kRank = { '+': 1, '-': 1, '*': 2, '/': 2, '^': 3 };
const rank = (n: Node) => (n.type === 'binary' ? kRank[n.op] : n.type === 'negate' ? 1 : 4);
const brackets = (inside: Drawn) => mathml`<mrow><mo>(</mo>${inside}<mo>)</mo></mrow>`;

function draw(n: Node, as: Draw): Drawn {
  const inside = (child: Node, least: number) =>
    rank(child) < least ? brackets(draw(child, as)) : draw(child, as);
  switch (n.type) {
    case 'number':
      return number(n.value);
    case 'name':
      return as.name(n.id);
    case 'negate':
      return mathml`<mrow><mo>−</mo>${inside(n.of, 2)}</mrow>`;
    case 'call':
      return drawCall(
        n.name,
        n.args.map((a) => draw(a, as)),
      );
    case 'binary':
      if (n.op === '/')
        return mathml`<mfrac>${row(draw(n.left, as))}${row(draw(n.right, as))}</mfrac>`;
      if (n.op === '^') {
        const base =
          n.left.type === 'name' && !as.wide?.(n.left.id)
            ? draw(n.left, as)
            : n.left.type === 'number'
              ? draw(n.left, as)
              : brackets(draw(n.left, as));
        return mathml`<msup>${row(base)}${row(draw(n.right, as))}</msup>`;
      }
      if (n.op === '*')
        return mathml`<mrow>${inside(n.left, 2)}<mo>${'×'}</mo>${inside(n.right, 2)}</mrow>`;
      return mathml`<mrow>${inside(n.left, 1)}<mo>${n.op === '-' ? '−' : '+'}</mo>${inside(n.right, n.op === '-' ? 2 : 1)}</mrow>`;
  }
}

const row = (inside: Drawn) => mathml`<mrow>${inside}</mrow>`;

function drawCall(name: string, args: Drawn[]): Drawn {
  const list = args.map((a, i) => (i ? mathml`<mo separator="true">,</mo>${a}` : a));
  if (name === 'sqrt') return mathml`<msqrt>${list}</msqrt>`;
  if (name === 'ceil') return mathml`<mrow><mo>⌈</mo>${list}<mo>⌉</mo></mrow>`;
  if (name === 'floor') return mathml`<mrow><mo>⌊</mo>${list}<mo>⌋</mo></mrow>`;
  return mathml`<mrow><mi>${name}</mi><mo>(</mo>${list}<mo>)</mo></mrow>`;
}

/** The terms of a sum, each with its sign, so that a long sum can wrap between them. */
function terms(n: Node, sign = ''): { sign: string; node: Node }[] {
  if (n.type === 'binary' && (n.op === '+' || (n.op === '-' && rank(n.right) > 1)))
    return [...terms(n.left, sign), { sign: n.op === '-' ? '−' : '+', node: n.right }];
  return [{ sign, node: n }];
}

/** `left = formula`, broken into one <math> per term because MathML itself does not break lines. */
export function equation(left: Drawn, tree: Node, as: Draw): TemplateResult {
  const parts = terms(tree);
  return html`<span class="equation"
    ><math>${left}<mo>=</mo></math
    >${parts.map(
      ({ sign, node }) =>
        html`<math
          >${sign ? mathml`<mo form="infix">${sign}</mo>` : nothing}${draw(node, as)}</math
        >`,
    )}</span
  >`;
}
