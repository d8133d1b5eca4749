// What is looked at: one object, kept in the address after #, that all views read and follow.

export type AxisMode = 'time' | 'order' | 'fold';

export interface State {
  view: string;
  /** Where the time cursor stands, in nanoseconds. */
  cursor: number | null;
  /** The window of time that is shown; null: all of it. */
  from: number | null;
  to: number | null;
  key: string | null;
  node: string | null;
  /** Purposes that are not shown. */
  off: string[];
  /** `past`: only what happened before the event `event`; `all`: everything. */
  scope: 'past' | 'all';
  /** The event whose past is shown; null: the first violation. */
  event: number | null;
  axis: AxisMode;
  /** Anything of a comparison or a campaign: strategy, cell, the two metrics of the map. */
  pick: string | null;
  cell: number | null;
  x: string | null;
  y: string | null;
}

export const initial: State = {
  view: '',
  cursor: null,
  from: null,
  to: null,
  key: null,
  node: null,
  off: [],
  scope: 'past',
  event: null,
  axis: 'fold',
  pick: null,
  cell: null,
  x: null,
  y: null,
};

const NUMBERS = ['cursor', 'from', 'to', 'event', 'cell'] as const;
const TEXTS = ['view', 'key', 'node', 'pick', 'x', 'y'] as const;

/** The part after #. Only what differs from `base` is written. */
export function encode(state: State, base: State): string {
  const out = new URLSearchParams();
  for (const name of TEXTS) if (state[name] !== base[name]) out.set(name, state[name] ?? '');
  for (const name of NUMBERS)
    if (state[name] !== base[name])
      out.set(name, String(state[name] === null ? '' : Math.round(state[name])));
  if (state.off.join() !== base.off.join()) out.set('off', state.off.join());
  if (state.scope !== base.scope) out.set('scope', state.scope);
  if (state.axis !== base.axis) out.set('axis', state.axis);
  return out.toString();
}

/** Never throws: what cannot be read is left as it is in `base`. */
export function decode(hash: string, base: State): State {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const state: State = { ...base };
  for (const name of TEXTS) {
    const value = given.get(name);
    if (value === null) continue;
    if (name === 'view') state.view = value || base.view;
    else state[name] = value || null;
  }
  for (const name of NUMBERS) {
    const value = given.get(name);
    if (value === '') state[name] = null;
    else if (value !== null && Number.isFinite(Number(value))) state[name] = Number(value);
  }
  const off = given.get('off');
  if (off !== null) state.off = off.split(',').filter(Boolean);
  const scope = given.get('scope');
  if (scope === 'past' || scope === 'all') state.scope = scope;
  const axis = given.get('axis');
  if (axis === 'time' || axis === 'order' || axis === 'fold') state.axis = axis;
  return state;
}

export class Store {
  private listeners: (() => void)[] = [];
  private waiting = false;
  state: State;

  constructor(private readonly base: State) {
    this.state = decode(location.hash, base);
    addEventListener('hashchange', () => {
      if (location.hash.replace(/^#/, '') === encode(this.state, this.base)) return;
      this.state = decode(location.hash, this.base);
      this.changed();
    });
  }

  /** `step` makes an entry that the back button returns from. */
  set(patch: Partial<State>, step = false): void {
    this.state = { ...this.state, ...patch };
    if (step) this.write(true);
    this.changed();
  }

  listen(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** However often the state changes between two frames, views follow once. */
  private changed(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      for (const listener of this.listeners) listener();
      this.later();
    });
  }

  // Browsers allow some 100 changes of the address in 30 s, so it follows when things are calm.
  private timer = 0;
  private later(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.write(false), 150);
  }

  private write(step: boolean): void {
    const hash = `#${encode(this.state, this.base)}`;
    if (hash === (location.hash || '#')) return;
    if (step) history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
  }
}
