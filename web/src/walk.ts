// SPDX-License-Identifier: MIT
// Where 6 N D comes from: one weight and one token, multiplication by multiplication. The counts are the
// core's metrics; the steps are how a layer computes.
import { html, mathml, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Answer } from './api';
import { symbol } from './formula';
import { flops } from './units';
import { valueOf } from './view';

const kSize = 3;
const kRow = 1; // the weight that is followed: second row, first column
const kColumn = 0;

type Pass = 'forward' | 'input' | 'weight';

interface Step {
  pass: Pass | null;
  /** The multiplication is done from the first step of a pass on, the addition from the second. */
  done: 'nothing' | 'product' | 'sum';
  title: string;
  text: string;
}

const kSteps: Step[] = [
  {
    pass: null,
    done: 'nothing',
    title: 'One weight, one token',
    text: 'A layer multiplies a vector h by a matrix W. We follow a single weight of it, for a single token, and count what is done with it.',
  },
  {
    pass: 'forward',
    done: 'product',
    title: 'Forward: one multiplication',
    text: 'The weight is multiplied by the one element of h that it meets.',
  },
  {
    pass: 'forward',
    done: 'sum',
    title: 'Forward: one addition',
    text: 'The product is added to the running sum of its output. Two FLOPs per weight and token: the forward pass is 2 N D.',
  },
  {
    pass: 'input',
    done: 'product',
    title: 'Backward to the input: one multiplication',
    text: 'The gradient δ of the output goes back through the same weight, so that the layer before can learn.',
  },
  {
    pass: 'input',
    done: 'sum',
    title: 'Backward to the input: one addition',
    text: 'It is added to the gradient of that element of h: an input has a share in every output.',
  },
  {
    pass: 'weight',
    done: 'product',
    title: 'Backward to the weight: one multiplication',
    text: 'The gradient of the weight itself is the output gradient times the input that the weight met.',
  },
  {
    pass: 'weight',
    done: 'sum',
    title: 'Backward to the weight: one addition',
    text: 'It is added to the gradients of the other tokens of the batch. Two and two make four: the backward pass is 4 N D, and training is 6 N D.',
  },
];

export const kLastStep = kSteps.length - 1;

/** What has been spent after a step, from the core's counts per pass. */
export function spent(answer: Answer, step: number): number {
  const passes = [
    'flops.forward_per_weight',
    'flops.backward_input_per_weight',
    'flops.backward_weight_per_weight',
  ];
  return passes.reduce((sum, id, i) => {
    const whole = valueOf(answer, id) ?? 0;
    return sum + (whole * Math.min(2, Math.max(0, step - 2 * i))) / 2;
  }, 0);
}

type Mark = (row: number, column: number) => string;

function matrix(
  name: string,
  rows: number,
  columns: number,
  cell: (r: number, c: number) => string,
  mark: Mark,
  tall = false,
): TemplateResult {
  return html`<figure class="matrix">
    <div class=${`cells c${columns} ${tall ? 'wide' : ''}`}>
      ${Array.from({ length: rows * columns }, (_, i) => {
        const [r, c] = [Math.floor(i / columns), i % columns];
        return html`<span class=${mark(r, c)}>${cell(r, c)}</span>`;
      })}
    </div>
    <figcaption><math>${symbol(name)}</math></figcaption>
  </figure>`;
}

const digits = '₀₁₂';
const sub = (name: string, ...at: number[]) => name + at.map((i) => digits[i]).join('');
const times = html`<span class="op">×</span>`;
const equals = html`<span class="op">=</span>`;

function picture({ pass, done }: Step): TemplateResult {
  const hot: Mark = (r, c) => (r === kRow && c === kColumn ? 'hot' : '');
  const result = done === 'sum' ? 'hot' : 'warm';
  const dots = (first: string, rest: string) => (done === 'sum' ? `${first} + ${rest}` : first);
  if (pass === 'input')
    return html`${matrix(
      'Wᵀ',
      kSize,
      kSize,
      (r, c) => sub('w', c, r),
      (r, c) => hot(c, r),
    )}
    ${times}
    ${matrix(
      'δ',
      kSize,
      1,
      (r) => sub('δ', r),
      (r) => (r === kRow ? 'hot' : ''),
    )}
    ${equals}
    ${matrix(
      '∂L/∂h',
      kSize,
      1,
      (r) => (r === kColumn ? dots(`${sub('δ', kRow)}${sub('w', kRow, r)}`, '…') : '·'),
      (r) => (r === kColumn ? result : ''),
      true,
    )}`;
  if (pass === 'weight')
    return html`${matrix(
      'δ',
      kSize,
      1,
      (r) => sub('δ', r),
      (r) => (r === kRow ? 'hot' : ''),
    )}
    ${times}
    ${matrix(
      'hᵀ',
      1,
      kSize,
      (_, c) => sub('h', c),
      (_, c) => (c === kColumn ? 'hot' : ''),
    )}
    ${equals}
    ${matrix(
      '∂L/∂W',
      kSize,
      kSize,
      (r, c) => (r === kRow && c === kColumn ? dots(`${sub('δ', r)}${sub('h', c)}`, '…') : '·'),
      (r, c) => (hot(r, c) ? result : ''),
      true,
    )}`;
  return html`${matrix('W', kSize, kSize, (r, c) => sub('w', r, c), hot)} ${times}
  ${matrix(
    'h',
    kSize,
    1,
    (r) => sub('h', r),
    (r) => (pass && r === kColumn ? 'hot' : ''),
  )}
  ${equals}
  ${matrix(
    'Wh',
    kSize,
    1,
    (r) => (pass && r === kRow ? dots(`${sub('w', r, kColumn)}${sub('h', kColumn)}`, '…') : '·'),
    (r) => (pass && r === kRow ? result : ''),
    true,
  )}`;
}

function one(step: Step, index: number, answer: Answer): TemplateResult {
  return html`<div class="step-body">
    <p class="counter">
      <span class="muted">FLOPs for this weight and this token:</span>
      <strong>${spent(answer, index)}</strong>
    </p>
    <div class="picture" role="img" aria-label=${`${step.title}. ${step.text}`}>
      ${picture(step)}
    </div>
    <h2>${index}. ${step.title}</h2>
    <p>${step.text}</p>
  </div>`;
}

export interface WalkActions {
  go(step: number): void;
}

/** `at` null shows all steps at once: how the page is built, and how it prints. */
export function walkPage(
  answer: Answer,
  root: string,
  at: number | null,
  actions?: WalkActions,
): TemplateResult {
  const n = valueOf(answer, 'params.matmul') ?? valueOf(answer, 'params.total');
  const d = valueOf(answer, 'compute.tokens');
  const c = valueOf(answer, 'compute.train_6nd') ?? valueOf(answer, 'compute.train');
  return html`<article class="leaf walk">
    <h1>Where 6 N D comes from</h1>
    <p class="lead">
      Training a model of N parameters on D tokens takes about 6 N D FLOPs. Six steps show why: two
      FLOPs forward, two back to the input, two back to the weight. After
      <a href=${`${root}replays/lecture-18-scaling/#B1`}>row B1 of the replays</a>.
    </p>
    ${
      at === null
        ? kSteps.map((s, i) => one(s, i, answer))
        : html`<div class="walker">
            <div aria-live="polite">${one(kSteps[at] as Step, at, answer)}</div>
            <p class="pager">
              <button
                type="button"
                class="button"
                ?disabled=${at === 0}
                @click=${() => actions?.go(at - 1)}
              >
                Back
              </button>
              <span class="dots" aria-hidden="true"
                >${kSteps.map((_, i) => html`<span class=${i === at ? 'now' : i < at ? 'past' : ''}></span>`)}</span
              >
              <button
                type="button"
                class="button primary"
                ?disabled=${at === kLastStep}
                @click=${() => actions?.go(at + 1)}
              >
                Next
              </button>
            </p>
          </div>`
    }
    <section>
      <h2>For every weight and every token</h2>
      <p class="math">
        <math
          >${symbol('C')}<mo>≈</mo><mo>(</mo><mn>2</mn><mo>+</mo><mn>2</mn><mo>+</mo><mn>2</mn
          ><mo>)</mo><mo>×</mo>${mathml`<mi>N</mi>`}<mo>×</mo>${mathml`<mi>D</mi>`}</math
        >
      </p>
      ${
        n !== undefined && d !== undefined && c !== undefined
          ? html`<p>
              For the example on the first page this is ${flops(c)}.
              <a href=${root || './'}>Open it</a> and see what the rule leaves out: attention
              itself, whose work grows with the length of the sequence, and recomputation, which
              does the forward pass twice.
            </p>`
          : nothing
      }
    </section>
  </article>`;
}
