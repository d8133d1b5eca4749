// Numbers as people read them.

const UNITS: [string, number][] = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

/** A moment, in seconds with as many decimals as `step` nanoseconds need. */
export function moment(ns: number, step = 1e6): string {
  const decimals = Math.min(9, Math.max(0, Math.ceil(9 - Math.log10(Math.max(1, step)) - 1e-9)));
  return `${(ns / 1e9).toFixed(decimals)}s`;
}

/** A length of time in the unit that suits it. */
export function duration(ns: number): string {
  const size = Math.abs(ns);
  if (size === 0) return '0';
  if (size >= 120e9) return `${(ns / 60e9).toPrecision(3)} min`;
  const [unit, scale] = UNITS.find(([, s]) => size >= s) ?? ['ns', 1];
  return `${trim((ns / scale).toPrecision(3))} ${unit}`;
}

export function bytes(n: number): string {
  const size = Math.abs(n);
  if (size < 1024) return `${n} B`;
  const unit = size < 1024 ** 2 ? 1 : size < 1024 ** 3 ? 2 : 3;
  return `${trim((n / 1024 ** unit).toPrecision(3))} ${['', 'KiB', 'MiB', 'GiB'][unit]}`;
}

export const count = (n: number): string =>
  Number.isInteger(n) || Math.abs(n) >= 1000
    ? Math.round(n).toLocaleString('en-US')
    : trim(n.toPrecision(4));

const trim = (text: string): string =>
  text.includes('e')
    ? Number(text).toLocaleString('en-US')
    : text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');

/** A metric by its name or unit: *_ns is a duration, *bytes a size. */
export function metric(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return 'never';
  if (/_ns$|^ns$/.test(name)) return duration(value);
  if (/bytes$/.test(name)) return bytes(value);
  return count(value);
}

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;
