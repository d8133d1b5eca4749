// The small controls that views over time share.

import type { AxisMode, State, Store } from './state';
import type { Timeline } from './timeline';
import { h } from './dom';

/** One of several; follows the state through the function that it returns. */
export function segmented<T extends string>(
  name: string,
  options: [T, string, string][],
  get: (state: State) => T,
  set: (value: T) => void,
  store: Store,
): { element: HTMLElement; update(): void } {
  const buttons = options.map(([value, text, title]) => {
    const button = h('button', { type: 'button', title, 'data-value': value }, text);
    button.addEventListener('click', () => set(value));
    return button;
  });
  const element = h(
    'div',
    { class: 'segmented', role: 'group', 'aria-label': name },
    h('span', { class: 'label' }, name),
    ...buttons,
  );
  return {
    element,
    update() {
      const value = get(store.state);
      for (const button of buttons)
        button.setAttribute('aria-pressed', String(button.dataset.value === value));
    },
  };
}

export const axis_control = (store: Store): { element: HTMLElement; update(): void } =>
  segmented<AxisMode>(
    'axis',
    [
      ['fold', 'idle folded', 'time, with stretches in which nothing happens made short'],
      ['time', 'time', 'virtual time, to scale'],
      ['order', 'order', 'one step an event'],
    ],
    (state) => state.axis,
    (axis) => store.set({ axis, from: null, to: null }, true),
    store,
  );

export function zoom_control(timeline: Timeline, store: Store): HTMLElement {
  const button = (text: string, title: string, run: () => void): HTMLElement => {
    const element = h('button', { type: 'button', title, 'aria-label': title }, text);
    element.addEventListener('click', run);
    return element;
  };
  return h(
    'div',
    { class: 'segmented zoom', role: 'group', 'aria-label': 'zoom' },
    button('−', 'further away (−)', () => timeline.zoom(1.6)),
    button('+', 'closer (+)', () => timeline.zoom(1 / 1.6, store.state.cursor ?? undefined)),
    button('all', 'all of the time (0)', () => store.set({ from: null, to: null })),
  );
}
