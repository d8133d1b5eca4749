// From time to a place on the axis and back, in three ways: by time, by order of events, and with idle
// time folded. Only the mapping is here; `timeline.ts` draws it.

import { bisectRight, bisectLeft } from 'd3-array';
import type { AxisMode } from './state';

export interface Axis {
  mode: AxisMode;
  /** Monotone: a later time is never further left. */
  u(t: number): number;
  t(u: number): number;
  /** Times that are distinct places; empty when the axis is linear. */
  knots: Float64Array;
  /** Stretches that were folded. */
  folds: { from: number; to: number }[];
}

export const linear: Axis = {
  mode: 'time',
  u: (t) => t,
  t: (u) => u,
  knots: new Float64Array(),
  folds: [],
};

/**
 * `times` in any order; `start` and `end` are always on the axis. With `fold`, what is longer than
 * `unit`, as the usual flight of a message, is idle time: a day of it is twice as wide as a unit.
 */
export function make_axis(
  mode: AxisMode,
  times: ArrayLike<number>,
  start: number,
  end: number,
  unit: number,
): Axis {
  if (mode === 'time' || end <= start) return linear;
  const all = new Float64Array(times.length + 2);
  for (let i = 0; i < times.length; ++i) all[i] = times[i];
  all[times.length] = start;
  all[times.length + 1] = end;
  all.sort();
  const knots = all.filter((t, i) => t >= start && t <= end && (i === 0 || t > all[i - 1]));
  const places = new Float64Array(knots.length);
  const folds: Axis['folds'] = [];
  const gaps = Array.from(knots.subarray(1), (t, i) => t - knots[i]);
  for (let i = 1; i < knots.length; ++i) {
    const gap = gaps[i - 1];
    let width = mode === 'order' ? 1 : gap;
    if (mode === 'fold' && gap > unit) {
      width = unit * (1 + Math.log10(gap / unit) / 8);
      if (gap > 20 * unit) folds.push({ from: knots[i - 1], to: knots[i] });
    }
    places[i] = places[i - 1] + width;
  }
  const between = (x: number, a: Float64Array, b: Float64Array): number => {
    const i = Math.min(a.length - 1, Math.max(1, bisectRight(a, x)));
    const share = (x - a[i - 1]) / (a[i] - a[i - 1]);
    return b[i - 1] + share * (b[i] - b[i - 1]);
  };
  return {
    mode,
    u: (t) => between(t, knots, places),
    t: (u) => between(u, places, knots),
    knots,
    folds,
  };
}

/** The first and one past the last index of what is in [from, to], in a sorted list. */
export function within(sorted: ArrayLike<number>, from: number, to: number): [number, number] {
  return [bisectLeft(sorted, from), bisectRight(sorted, to)];
}
