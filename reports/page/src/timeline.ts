// A stretch of time to draw on: a canvas for what is much, an SVG above it for what is touched, an axis
// with the steps T0, T1, ... on top, the shared cursor, and panning and zooming. Views draw the rest.

import { scaleLinear } from 'd3-scale';
import type { Label } from './data';
import type { Axis } from './axis';
import type { Store } from './state';
import { h, s } from './dom';
import { moment, duration } from './format';
import { colour } from './theme';

export interface Scale {
  /** The left and right edge of the plot, in pixels of the canvas. */
  left: number;
  right: number;
  width: number;
  height: number;
  /** What is shown, in time. */
  from: number;
  to: number;
  x(t: number): number;
  t(x: number): number;
}

export interface TimelineOptions {
  store: Store;
  labels: Label[];
  end: number;
  name: string;
  axis(): Axis;
  height(): number;
  /** Room for names on the left, in pixels, given the whole width. */
  gutter(width: number): number;
  draw(ctx: CanvasRenderingContext2D, svg: SVGSVGElement, scale: Scale): void;
  click?(x: number, y: number, scale: Scale): void;
  hover?(x: number, y: number, scale: Scale): string | null;
}

export const TOP = 46;
const FOOT = 22; // for the brackets of a folded axis

export class Timeline {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  private readonly svg: SVGSVGElement;
  private readonly tip = h('div', { class: 'tip', hidden: true });
  private scale: Scale | null = null;
  private frames = 0;

  constructor(private readonly o: TimelineOptions) {
    this.canvas = h('canvas', { role: 'img', 'aria-label': o.name });
    this.svg = s('svg', { class: 'over' });
    this.element = h(
      'div',
      { class: 'timeline', tabindex: 0, 'aria-label': `${o.name}; arrows move the cursor` },
      this.canvas,
      this.svg,
      this.tip,
    );
    new ResizeObserver(() => this.draw()).observe(this.element);
    this.listen();
  }

  private window(): [number, number] {
    const { from, to } = this.o.store.state;
    return from === null || to === null || to <= from ? [0, this.o.end] : [from, to];
  }

  draw(): void {
    const width = this.element.clientWidth;
    if (width === 0) return;
    const axis = this.o.axis();
    const height = this.o.height() + (axis.folds.length ? FOOT : 0);
    const ratio = window.devicePixelRatio || 1;
    if (
      this.canvas.width !== Math.round(width * ratio) ||
      this.canvas.height !== Math.round(height * ratio)
    ) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.height = `${height}px`;
      this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
      this.svg.style.height = `${height}px`;
    }
    const [from, to] = this.window();
    const left = this.o.gutter(width);
    const right = width - 14;
    const u0 = axis.u(from);
    const per = (right - left) / Math.max(1e-9, axis.u(to) - u0);
    this.scale = {
      left,
      right,
      width,
      height,
      from,
      to,
      x: (t) => left + (axis.u(t) - u0) * per,
      t: (x) => axis.t(u0 + (x - left) / per),
    };
    const ctx = this.canvas.getContext('2d')!;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    this.svg.replaceChildren();
    this.ground(ctx, axis, this.scale);
    this.o.draw(ctx, this.svg, this.scale);
    this.steps(ctx, this.scale);
    this.cursor(ctx, this.scale);
    this.canvas.dataset.frames = String(++this.frames);
  }

  // Ticks and grid.
  private ground(ctx: CanvasRenderingContext2D, axis: Axis, scale: Scale): void {
    const { left, right, height, from, to } = scale;
    ctx.font = font(11);
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'center';
    const ticks = ticks_of(axis, scale);
    const step =
      ticks.length > 1 ? Math.min(...ticks.slice(1).map((t, i) => t - ticks[i])) : to - from;
    for (const t of ticks) {
      const x = Math.round(scale.x(t)) + 0.5;
      ctx.strokeStyle = colour('grid');
      ctx.beginPath();
      ctx.moveTo(x, TOP - 6);
      ctx.lineTo(x, height);
      ctx.stroke();
      ctx.fillStyle = colour('muted');
      const text = moment(t, axis.mode === 'time' ? step : 1e6);
      const half = ctx.measureText(text).width / 2;
      ctx.fillText(text, Math.min(right + 12 - half, Math.max(left - 10 + half, x)), TOP - 15);
    }
    this.brackets(ctx, axis, scale);
  }

  // Below the plot, how long each folded stretch really is.
  private brackets(ctx: CanvasRenderingContext2D, axis: Axis, scale: Scale): void {
    const y = scale.height - FOOT + 6;
    ctx.font = font(10.5);
    ctx.textAlign = 'center';
    for (const fold of axis.folds) {
      const a = Math.max(scale.x(fold.from), scale.left) + 2;
      const b = Math.min(scale.x(fold.to), scale.right) - 2;
      if (b - a < 4) continue;
      ctx.strokeStyle = colour('step');
      ctx.beginPath();
      ctx.moveTo(a, y - 3);
      ctx.lineTo(a, y + 0.5);
      ctx.lineTo(b, y + 0.5);
      ctx.lineTo(b, y - 3);
      ctx.stroke();
      const text = duration(fold.to - fold.from);
      ctx.fillStyle = colour('muted');
      if (ctx.measureText(text).width < b - a + 4) ctx.fillText(text, (a + b) / 2, y + 9.5);
    }
  }

  // The steps of the scenario; those that fall together share a flag.
  private steps(ctx: CanvasRenderingContext2D, scale: Scale): void {
    ctx.font = font(11, 600);
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    const flags: { x: number; text: string; end: number }[] = [];
    for (const label of this.o.labels) {
      const x = scale.x(label.at);
      if (x < scale.left - 1 || x > scale.right + 1) continue;
      const last = flags.at(-1);
      const width = ctx.measureText(label.label).width;
      if (last && x < last.end + 6) {
        last.text += ` ${label.label}`;
        last.end += width + 5;
      } else flags.push({ x, text: label.label, end: x + width + 8 });
      ctx.strokeStyle = colour('step');
      ctx.setLineDash([2, 3]);
      ctx.beginPath();
      ctx.moveTo(Math.round(x) + 0.5, 16);
      ctx.lineTo(Math.round(x) + 0.5, scale.height);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    for (const { x, text } of flags) {
      const width = ctx.measureText(text).width + 8;
      const at = Math.min(x, scale.width - width - 1);
      ctx.fillStyle = colour('flag');
      ctx.fillRect(Math.round(at), 2, width, 16);
      ctx.fillStyle = colour('flag-ink');
      ctx.fillText(text, Math.round(at) + 4, 10.5);
    }
  }

  private cursor(ctx: CanvasRenderingContext2D, scale: Scale): void {
    const at = this.o.store.state.cursor;
    if (at === null) return;
    const x = scale.x(at);
    if (x < scale.left - 1 || x > scale.right + 1) return;
    ctx.strokeStyle = colour('accent');
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.moveTo(x, TOP - 24);
    ctx.lineTo(x, scale.height);
    ctx.stroke();
    ctx.lineWidth = 1;
    ctx.font = font(11, 600);
    const text = moment(at);
    const width = ctx.measureText(text).width + 10;
    const left = Math.min(scale.width - width - 1, Math.max(scale.left, x - width / 2));
    ctx.fillStyle = colour('accent');
    ctx.beginPath();
    ctx.roundRect(left, TOP - 24, width, 17, 3);
    ctx.fill();
    ctx.fillStyle = colour('on-accent');
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    ctx.fillText(text, left + 5, TOP - 15);
  }

  /** By a share of the window: positive is later. */
  pan(share: number): void {
    this.move((u0, u1) => [u0 + share * (u1 - u0), u1 + share * (u1 - u0)]);
  }

  /** Below 1 is closer; `at` is a time that stays where it is. */
  zoom(factor: number, at?: number): void {
    const axis = this.o.axis();
    this.move((u0, u1) => {
      const mid = at === undefined ? (u0 + u1) / 2 : axis.u(at);
      return [mid + (u0 - mid) * factor, mid + (u1 - mid) * factor];
    });
  }

  private move(change: (u0: number, u1: number) => [number, number]): void {
    const axis = this.o.axis();
    const [from, to] = this.window();
    const [low, high] = [axis.u(0), axis.u(this.o.end)];
    let [u0, u1] = change(axis.u(from), axis.u(to));
    const span = Math.min(high - low, Math.max(u1 - u0, (high - low) * 1e-7));
    u0 = Math.max(low, Math.min(u0, high - span));
    u1 = u0 + span;
    const whole = span >= (high - low) * 0.9999;
    this.o.store.set(whole ? { from: null, to: null } : { from: axis.t(u0), to: axis.t(u1) });
  }

  private listen(): void {
    const element = this.element;
    const touches = new Map<number, { x: number; y: number }>();
    let moved = 0;
    const place = (event: MouseEvent): { x: number; y: number } => {
      const box = this.canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      touches.set(event.pointerId, place(event));
      moved = 0;
    });
    element.addEventListener('pointermove', (event) => {
      const now = place(event);
      const before = touches.get(event.pointerId);
      if (!before) return this.point(now);
      const plot = this.scale ? this.scale.right - this.scale.left : 1;
      if (touches.size === 2) {
        const other = [...touches].find(([id]) => id !== event.pointerId)![1];
        const gap = Math.max(20, Math.abs(now.x - other.x));
        this.zoom(Math.max(20, Math.abs(before.x - other.x)) / gap, this.scale?.t(other.x));
        moved = 99;
      } else {
        moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
        if (moved > 4) {
          // Only now, so that a click still reaches what lies above the canvas.
          if (!element.hasPointerCapture(event.pointerId))
            element.setPointerCapture(event.pointerId);
          this.pan((before.x - now.x) / plot);
        }
      }
      touches.set(event.pointerId, now);
    });
    const end = (event: PointerEvent): void => {
      const was = touches.delete(event.pointerId);
      if (!was || moved > 4 || event.type !== 'pointerup' || !this.scale) return;
      if ((event.target as Element).closest('[data-hit]')) return;
      const { x, y } = place(event);
      if (x < this.scale.left - 2) return;
      this.o.store.set({ cursor: Math.min(this.o.end, Math.max(0, Math.round(this.scale.t(x)))) });
      this.o.click?.(x, y, this.scale);
    };
    for (const type of ['pointerup', 'pointercancel'] as const) element.addEventListener(type, end);
    element.addEventListener('pointerleave', () => (this.tip.hidden = true));
    element.addEventListener(
      'wheel',
      (event) => {
        if (event.ctrlKey || event.metaKey) {
          event.preventDefault();
          this.zoom(Math.exp(event.deltaY * 0.004), this.scale?.t(place(event).x));
        } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
          event.preventDefault();
          this.pan((event.deltaX || event.deltaY) / Math.max(1, element.clientWidth));
        }
      },
      { passive: false },
    );
  }

  private point({ x, y }: { x: number; y: number }): void {
    const text = this.scale && this.o.hover?.(x, y, this.scale);
    this.tip.hidden = !text;
    if (!text) return;
    this.tip.textContent = text;
    const width = Math.min(320, this.element.clientWidth - 8);
    this.tip.style.maxWidth = `${width}px`;
    this.tip.style.left = `${Math.max(4, Math.min(x + 12, this.element.clientWidth - this.tip.offsetWidth - 4))}px`;
    this.tip.style.top = `${y + 16}px`;
  }
}

export const font = (size: number, weight = 400): string =>
  `${weight} ${size}px Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;

function ticks_of(axis: Axis, scale: Scale): number[] {
  const room = Math.max(2, Math.floor((scale.right - scale.left) / 100));
  if (axis.mode === 'time') return scaleLinear([scale.from, scale.to], [0, 1]).ticks(room);
  // No even steps exist here: take knots that are far enough from each other.
  const out: number[] = [];
  for (let x = scale.left; x <= scale.right; x += (scale.right - scale.left) / room) {
    const t = nearest(axis.knots, scale.t(x));
    if (t < scale.from || t > scale.to) continue;
    if (out.length === 0 || scale.x(t) - scale.x(out.at(-1)!) > 70) out.push(t);
  }
  return out;
}

function nearest(knots: Float64Array, t: number): number {
  let low = 0;
  let high = knots.length - 1;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (knots[mid] < t) low = mid + 1;
    else high = mid;
  }
  return low > 0 && t - knots[low - 1] < knots[low] - t ? knots[low - 1] : knots[low];
}
