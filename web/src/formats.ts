// SPDX-License-Identifier: MIT
// Number formats: which bits there are, how far they reach, how finely. From the core's table.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { NumberFormat, Schema, Source } from './api';
import { count, scientific, significant, trimmed } from './units';
import { cited } from './view';

const kBit = 10.8; // px
const kTall = 20;

function element(f: NumberFormat): number {
  return f.sign_bits + f.exponent_bits + f.mantissa_bits;
}

function drawing(f: NumberFormat): TemplateResult {
  const parts = [
    ['sign', f.sign_bits],
    ['exponent', f.exponent_bits],
    ['mantissa', f.mantissa_bits],
  ] as const;
  const kinds = parts.flatMap(([kind, n]) => Array.from({ length: n }, () => kind));
  const words = parts.map(([kind, n]) => `${n} ${kind}`).join(', ');
  const width = kinds.length * kBit;
  return html`<svg
    class="bits"
    width=${width}
    viewBox=${`0 0 ${width} ${kTall}`}
    role="img"
    aria-label=${`Bits: ${words}`}
  >
    ${kinds.map(
      (kind, i) =>
        svg`<rect class=${kind} x=${i * kBit + 0.5} y="0.5" width=${kBit - 1} height=${kTall - 1} />`,
    )}
  </svg>`;
}

const finite = (x: number | null): x is number => typeof x === 'number' && Number.isFinite(x);

function size(x: number | null): string {
  if (!finite(x)) return '–';
  return Math.abs(x) >= 1e5 || (x !== 0 && Math.abs(x) < 1e-3)
    ? scientific(x)
    : significant(x, 4).replace(/\.?0+$/, '');
}

/** Decades between the smallest and the largest value, on one scale for all formats. */
const kLow = -46;
const kHigh = 39;
function range(f: NumberFormat): unknown {
  if (!finite(f.max) || !finite(f.min_normal) || f.min_normal <= 0 || f.exponent_bits === 0)
    return nothing;
  const at = (x: number) => ((Math.log10(x) - kLow) / (kHigh - kLow)) * 100;
  const sub = finite(f.min_subnormal) && f.min_subnormal > 0 ? f.min_subnormal : f.min_normal;
  return html`<svg
    class="range"
    width="100%"
    height="12"
    role="img"
    aria-label=${`From ${size(f.min_normal)} to ${size(f.max)}`}
  >
    <line x1="0" x2="100%" y1="6" y2="6" />
    <rect class="sub" x=${`${at(sub)}%`} width=${`${at(f.max) - at(sub)}%`} y="3" height="6" />
    <rect
      class="normal"
      x=${`${at(f.min_normal)}%`}
      width=${`${at(f.max) - at(f.min_normal)}%`}
      y="1"
      height="10"
    />
  </svg>`;
}

function source(key: string, from: Record<string, Source>): unknown {
  const s = from[key];
  return s ? cited(s) : nothing;
}

function entry(f: NumberFormat, schema: Schema): TemplateResult {
  return html`<section class="format" aria-labelledby=${`format-${f.id}`}>
    <h2 id=${`format-${f.id}`}>${f.label}</h2>
    ${drawing(f)}
    <dl>
      <div>
        <dt>In memory</dt>
        <dd>
          ${f.storage === false ? 'stored as FP32' : `${trimmed(significant(f.bits))} bits a value`}
        </dd>
      </div>
      <div>
        <dt>Largest</dt>
        <dd>${size(f.max)}</dd>
      </div>
      <div>
        <dt>Smallest normal</dt>
        <dd>${size(f.min_normal)}</dd>
      </div>
      <div>
        <dt>Step at 1</dt>
        <dd>${size(f.epsilon)}</dd>
      </div>
      ${
        finite(f.digits)
          ? html`<div>
              <dt>Digits</dt>
              <dd>${significant(f.digits, 2)}</dd>
            </div>`
          : nothing
      }
    </dl>
    ${range(f)}
    <p class="help">${f.note} ${source(f.source, schema.sources)}</p>
  </section>`;
}

export function formatsPage(schema: Schema, root: string): TemplateResult {
  const list = schema.formats.filter((f) => element(f) > 0);
  return html`<article class="leaf">
    <h1>Number formats</h1>
    <p class="lead">
      A number is a sign, an exponent and a mantissa. The exponent bits set how far it reaches, the
      mantissa bits how finely: BF16 gives up precision for the range of FP32, FP16 the other way
      round. Below eight bits a block of values shares a scale, and the scale is counted here.
      ${count(list.length)} formats;
      <a href=${root || './'}>choose them in the calculator</a>.
    </p>
    <p class="bit-key">
      <span class="sign">sign</span> <span class="exponent">exponent: range</span>
      <span class="mantissa">mantissa: precision</span>
    </p>
    <div class="format-list">${list.map((f) => entry(f, schema))}</div>
    <p class="muted">
      Ranges are drawn on one logarithmic scale from 10⁻⁴⁶ to 10³⁹; pale is subnormal.
    </p>
  </article>`;
}
