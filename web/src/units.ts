// SPDX-License-Identifier: MIT
// The only place where a number becomes text. Three significant digits, unless exactness is the point.

/** Thousands apart, with a true minus. */
function grouped(x: number, decimals = 0): string {
  const [whole = '', rest] = Math.abs(x).toFixed(decimals).split('.');
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ',') + (rest ? `.${rest}` : '');
  return x < 0 && Number(text.replaceAll(',', '')) ? `−${text}` : text;
}

// Seconds
export const kMinute = 60;
export const kHour = 3600;
export const kDay = 86400;
export const kYear = 365.25 * kDay;

const kSuperscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const kSpace = '\u00a0'; // between a number and its unit no line breaks
const kHuman: [number, string][] = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
];
const kPrefixes: [number, string][] = [
  [1e18, 'E'],
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
  [1e-3, 'm'],
  [1e-6, 'µ'],
  [1e-9, 'n'],
];

export function superscript(n: number): string {
  const digits = [...String(Math.abs(n))].map((c) => kSuperscripts[Number(c)]).join('');
  return (n < 0 ? '⁻' : '') + digits;
}

/** Mantissa and exponent of a number rounded to `digits`; rounding may carry (9.999 -> 1.00, +1). */
export function mantissa(x: number, digits = 3): { text: string; exponent: number } {
  const [text = '0', exponent = '0'] = x.toExponential(digits - 1).split('e');
  return { text: text.replace('-', '−'), exponent: Number(exponent) };
}

export function scientific(x: number, digits = 3): string {
  const { text, exponent } = mantissa(x, digits);
  return `${text} × 10${superscript(exponent)}`;
}

/** `digits` significant figures without an exponent; never rounds away digits left of the point. */
export function significant(x: number, digits = 3): string {
  if (x === 0) return '0';
  const exponent = mantissa(x, digits).exponent;
  const decimals = Math.max(0, digits - 1 - exponent);
  return grouped(x, Math.min(20, decimals));
}

function scaled(x: number, table: [number, string][]): [string, string] {
  const rounded = Math.abs(Number(x.toPrecision(3)));
  const last = table[table.length - 1] as [number, string];
  const [factor, word] = table.find(([f]) => rounded >= f) ?? last;
  return [significant(x / factor), word];
}

/** `405B`, `15.6T`, `16,384`: whole numbers below a million in full, for counts of people and GPUs. */
export function count(x: number): string {
  if (x === 0) return '0';
  if (Math.abs(x) >= 1e15 || Math.abs(x) < 1e-3) return scientific(x);
  if (Math.abs(Number(x.toPrecision(3))) >= 1e6) return scaled(x, kHuman).join('');
  if (Number.isInteger(x)) return grouped(x);
  return significant(x);
}

function prefixed(x: number, unit: string): string {
  if (x === 0) return `0${kSpace}${unit}`;
  const [number, prefix] = scaled(x, kPrefixes);
  return `${number}${kSpace}${prefix}${unit}`;
}

export function bytes(x: number): string {
  if (Math.abs(x) < 1e3) return `${count(x)}${kSpace}B`;
  return prefixed(x, 'B');
}

/** For a device's memory: `80 GiB` is `85.9 GB`, and the difference is a classic confusion. */
export function binaryBytes(x: number): string {
  return `${significant(x / 2 ** 30)}${kSpace}GiB`;
}

export function flops(x: number, unit = 'FLOP'): string {
  if (Math.abs(x) >= 1e18) return `${scientific(x)}${kSpace}${unit}`;
  if (Math.abs(x) < 1e3) return `${count(x)}${kSpace}${unit}`;
  return prefixed(x, unit);
}

export function duration(x: number): string {
  const sign = x < 0 ? '−' : '';
  const s = Math.abs(x);
  const two = (big: number, bigWord: string, small: number, smallWord: string) => {
    let high = Math.floor(s / big);
    let low = Math.round((s - high * big) / small);
    if (low * small >= big) [high, low] = [high + 1, 0];
    return `${sign}${grouped(high)}${kSpace}${bigWord}${low ? ` ${low}${kSpace}${smallWord}` : ''}`;
  };
  if (s === 0) return `0${kSpace}s`;
  if (s >= 100 * kYear) return `${sign}${count(Number((s / kYear).toPrecision(3)))}${kSpace}years`;
  if (s >= 2 * kYear) return `${sign}${significant(s / kYear)}${kSpace}years`;
  if (s >= 100 * kDay) return `${sign}${grouped(Math.round(s / kDay))}${kSpace}d`;
  if (s >= kDay) return two(kDay, 'd', kHour, 'h');
  if (s >= kHour) return two(kHour, 'h', kMinute, 'min');
  if (s >= kMinute) return two(kMinute, 'min', 1, 's');
  return sign + prefixed(s, 's');
}

export function money(x: number): string {
  const sign = x < 0 ? '−' : '';
  const a = Math.abs(x);
  if (a >= 999.5e3) return `${sign}$${scaled(a, kHuman).join('')}`;
  if (a >= 1000) return `${sign}$${grouped(Number(a.toPrecision(3)))}`;
  if (a >= 0.995) return `${sign}$${a.toFixed(a >= 100 && Number.isInteger(a) ? 0 : 2)}`;
  return `${sign}$${significant(a)}`;
}

/** A factor of work as a change: `+33 % work`. Nothing where it changes nothing that shows. */
export function work(factor: number): string {
  const change = Math.round((factor - 1) * 100);
  return change === 0 ? '' : `${change < 0 ? '−' : '+'}${Math.abs(change)}${kSpace}% work`;
}

export function percent(x: number): string {
  return `${significant(x * 100)}${kSpace}%`;
}

/** A part of something: digits of what is next to nothing say nothing. */
export const share = (x: number): string =>
  x > 0 && x < 5e-4 ? `<\u20090.1${kSpace}%` : percent(x);

/** A ratio that compares two things: `1.88 ×`. */
export function times(x: number): string {
  return `${Math.abs(x) >= 1e6 ? scientific(x) : significant(x)}${kSpace}×`;
}

const kShare = 1.5; // a ratio above it compares, below it is a share
const kDenominators: Record<string, string> = { second: 's', hour: 'h', token: 'token' };

/** The text of a value in its canonical unit (the unit column of the core's two tables). */
export function format(x: number, unit: string): string {
  if (!Number.isFinite(x)) return '–';
  const [head = '', ...rest] = unit.split('/');
  const per = rest.map((u) => `/${kDenominators[u] ?? u}`).join('');
  switch (head) {
    case 'flop':
      return flops(x) + per;
    case 'byte':
      return bytes(x) + per;
    case 'second':
      return per === '' ? duration(x) : significant(x) + kSpace + 's' + per;
    case 'usd':
      return money(x) + per;
    case 'token':
      return per === '' ? count(x) : `${count(x)} tokens${per}`; // the label says what is counted
    case 'gpu-hour':
      return `${count(x)} GPU-hours`;
    case 'ratio':
      return Math.abs(x) > kShare ? times(x) : percent(x);
    case 'pfs-day':
      return `${count(x)}${kSpace}PF/s-days`;
    case 'nat':
      return `${significant(x, 4)}${kSpace}nat${per}`;
    case 'month':
      return String(x).replace(/^(\d{4})(\d\d)$/, '$1-$2');
    case 'factor':
      return times(x);
    case 'bit':
      return prefixed(x, 'bit') + per;
    case 'watt':
      return prefixed(x, 'W') + per;
    case 'watt-hour':
      return prefixed(x, 'Wh');
    case 'hour':
      return `${count(x)}${kSpace}h${per}`;
    case 'count':
    case '':
    case 'number':
      return count(x) + per;
    default:
      return `${count(x)} ${unit}`;
  }
}

/** The same without zeros behind the point, for ticks: `1M`, not `1.00M`. */
export function trimmed(text: string): string {
  return text.replace(/(\.\d*?)0+(?!\d)/, '$1').replace(/\.(?!\d)/, '');
}

/** A duration in one unit, rounded: `97 d`, `1.3 h`. For marks and bands. */
export function roughly(x: number): string {
  const s = Math.abs(x);
  for (const [size, word] of [
    [kDay, 'd'],
    [kHour, 'h'],
    [kMinute, 'min'],
  ] as const)
    if (s >= size && s < 730 * kDay) {
      const n = s / size;
      return `${x < 0 ? '−' : ''}${n >= 10 ? grouped(Math.round(n)) : trimmed(significant(n, 2))}${kSpace}${word}`;
    }
  return trimmed(duration(x));
}

/** `61–68 d`: a range whose ends share what they can of their unit. */
export function between(low: string, high: string): string {
  if (low === high) return high;
  const unit = /[^\d]*$/.exec(high)?.[0] ?? '';
  const head = /^[^\d−]*/.exec(low)?.[0] ?? '';
  if (!low.endsWith(unit) || !high.startsWith(head)) return `${low} – ${high}`;
  const bare = low.slice(0, low.length - unit.length);
  return /^[^\d−]*[\d.,]+$/.test(bare) ? `${bare}–${high.slice(head.length)}` : `${low} – ${high}`;
}

/** The range behind a number, without the unit where it is the number's: `97 d (86–110)`. */
export function inBrackets(text: string, band: string): string {
  const unit = /\u00a0[^\d]+$/.exec(text)?.[0] ?? '';
  const short = unit && band.endsWith(unit) && !band.includes(' – ');
  return `(${short ? band.slice(0, -unit.length) : band})`;
}

/** Shortest text that gives the number back: what is copied, and what a title shows. */
export function exact(x: number): string {
  return String(x);
}

/** Text for an input: short, human, and read back by the core as the same number. */
export function editable(x: number, unit: string): string {
  const short = (value: number, suffix: string) => {
    const text = String(Number(value.toPrecision(12)));
    return text.length <= 9 && !text.includes('e') ? text + suffix : '';
  };
  if (x === 0) return '0';
  if (unit === 'ratio') return short(x * 100, '%') || String(x);
  if (unit === 'byte' && Math.abs(x) >= 1) {
    for (const power of [40, 30, 20])
      if (Number.isInteger((x / 2 ** power) * 8))
        return short(x / 2 ** power, { 40: ' TiB', 30: ' GiB', 20: ' MiB' }[power] ?? '');
    const [factor, prefix] = kPrefixes.find(([f]) => Math.abs(x) >= f) ?? [1, ''];
    return short(x / factor, ` ${prefix}B`) || String(x);
  }
  if (unit === 'second') {
    for (const [size, word] of [
      [kDay, ' d'],
      [kHour, ' h'],
    ] as const)
      if (Math.abs(x) >= size) return short(x / size, word) || String(x);
    return String(x);
  }
  if (Math.abs(x) >= 1e6 && Math.abs(x) < 1e18) {
    for (const [factor, word] of kHuman)
      if (Math.abs(x) >= factor) return short(x / factor, word) || String(x);
  }
  return Math.abs(x) >= 1e18 ? plainExponent(x) : String(x);
}

function plainExponent(x: number): string {
  return x.toExponential().replace('e+', 'e');
}
