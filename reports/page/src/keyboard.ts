// What keys do, and the sheet that says so.

import type { View } from './view';
import type { Store } from './state';
import { h } from './dom';

const KEYS: [string, string][] = [
  ['1 – 4', 'another view'],
  ['← →', 'move the cursor'],
  ['shift ← →', 'to the moment before or after'],
  ['+ −', 'closer, further away'],
  ['[ ]', 'earlier, later'],
  ['0', 'all of the time'],
  ['/', 'search'],
  ['d', 'light or dark'],
  ['esc', 'let go of what is chosen'],
  ['?', 'this sheet'],
];

export function help_sheet(): HTMLDialogElement {
  const close = h('button', { type: 'button' }, 'close');
  const sheet = h(
    'dialog',
    { class: 'help', 'aria-label': 'keys' },
    h('h2', {}, 'Keys'),
    h(
      'dl',
      {},
      ...KEYS.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)]),
    ),
    h(
      'p',
      { class: 'note' },
      'Drag to pan. Ctrl and wheel zooms, shift and wheel pans; two fingers do both. The address keeps what is shown: copy it to share it.',
    ),
    close,
  );
  close.addEventListener('click', () => sheet.close());
  sheet.addEventListener('click', (event) => {
    if (event.target === sheet) sheet.close();
  });
  return sheet;
}

export interface Wiring {
  store: Store;
  views: View[];
  end: number;
  current(): View;
  search(): void;
  theme(): void;
  help: HTMLDialogElement;
}

export function listen(w: Wiring): void {
  addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)
    )
      return;
    const done = act(w, event.key, event.shiftKey);
    if (done) event.preventDefault();
  });
}

function act(w: Wiring, key: string, shift: boolean): boolean {
  const { store } = w;
  const { timeline } = w.current();
  if (w.help.open && key !== '?' && key !== 'Escape') return false;
  if (/^[1-9]$/.test(key)) {
    const view = w.views[Number(key) - 1];
    if (view) store.set({ view: view.id }, true);
    return !!view;
  }
  switch (key) {
    case '/':
      w.search();
      return true;
    case '?':
      if (w.help.open) w.help.close();
      else w.help.showModal();
      return true;
    case 'd':
      w.theme();
      return true;
    case 'Escape':
      store.set({ pick: null, cursor: null });
      return false;
    case 'ArrowLeft':
    case 'ArrowRight':
      if (!timeline) return false;
      store.set({ cursor: step(w, key === 'ArrowRight' ? 1 : -1, shift) });
      return true;
    case '+':
    case '=':
      timeline?.zoom(1 / 1.6, store.state.cursor ?? undefined);
      return !!timeline;
    case '-':
      timeline?.zoom(1.6, store.state.cursor ?? undefined);
      return !!timeline;
    case '[':
    case ']':
      timeline?.pan(key === ']' ? 0.2 : -0.2);
      return !!timeline;
    case '0':
      if (timeline) store.set({ from: null, to: null });
      return !!timeline;
    default:
      return false;
  }
}

// A hundredth of what is shown, or, with shift, the next moment of the view.
function step(w: Wiring, way: 1 | -1, shift: boolean): number {
  const { cursor, from, to } = w.store.state;
  const [low, high] = [from ?? 0, to ?? w.end];
  const now = cursor ?? (way > 0 ? low : high);
  if (shift) {
    const moments = [...(w.current().moments?.() ?? [])].sort((a, b) => a - b);
    const next = way > 0 ? moments.find((t) => t > now) : moments.findLast((t) => t < now);
    return next ?? now;
  }
  return Math.round(Math.min(w.end, Math.max(0, now + (way * (high - low)) / 100)));
}
