// The search box: keys, operations, hosts and steps of a run, strategies of a comparison.

import type { PageData } from './data';
import type { State, Store } from './state';
import { h } from './dom';

interface Entry {
  text: string;
  what: string;
  go: Partial<State>;
}

function entries(data: PageData): Entry[] {
  if (data.kind === 'comparison')
    return data.strategies.map((st) => ({
      text: st.name,
      what: 'strategy',
      go: { pick: st.name },
    }));
  if (data.kind === 'campaign') return [];
  return [
    ...data.labels.map((l) => ({ text: l.label, what: l.what, go: { cursor: l.at } })),
    ...data.hosts.map((name) => ({
      text: name,
      what: 'messages of it',
      go: { view: 'spacetime', node: name },
    })),
    ...data.keys.map((key) => ({
      text: key,
      what: 'the life of the key',
      go: { view: 'key', key, from: null, to: null },
    })),
    ...data.operations.map((op) => ({
      text: op.id,
      what: `${op.kind.replace('-', ' ')} of ${op.key}`,
      go: { view: 'key', key: op.key, cursor: op.returned ?? op.invoked, from: null, to: null },
    })),
  ];
}

export function search(data: PageData, store: Store): { element: HTMLElement; focus(): void } {
  const all = entries(data);
  const input = h('input', {
    type: 'search',
    placeholder: 'Search   /',
    'aria-label': 'search keys, operations, hosts, steps',
    role: 'combobox',
    'aria-expanded': 'false',
    'aria-controls': 'found',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const list = h('ul', { id: 'found', role: 'listbox', class: 'found', hidden: true });
  let found: Entry[] = [];
  let at = 0;

  const rank = (entry: Entry, text: string): number => {
    const name = entry.text.toLowerCase();
    return name === text
      ? 0
      : name.startsWith(text)
        ? 1
        : name.includes(text)
          ? 2
          : entry.what.toLowerCase().includes(text)
            ? 3
            : 9;
  };

  function find(): void {
    const text = input.value.trim().toLowerCase();
    found = [];
    if (text)
      for (let level = 0; level < 4 && found.length < 8; ++level)
        for (const entry of all) {
          if (found.length >= 8) break;
          if (rank(entry, text) === level) found.push(entry);
        }
    at = 0;
    show();
  }

  function show(): void {
    list.hidden = found.length === 0;
    input.setAttribute('aria-expanded', String(found.length > 0));
    list.replaceChildren(
      ...found.map((entry, i) => {
        const item = h(
          'li',
          { role: 'option', id: `found-${i}`, 'aria-selected': String(i === at) },
          h('b', {}, entry.text),
          h('span', {}, entry.what),
        );
        item.addEventListener('pointerdown', (event) => {
          event.preventDefault();
          take(entry);
        });
        return item;
      }),
    );
    input.setAttribute('aria-activedescendant', found.length ? `found-${at}` : '');
  }

  function take(entry: Entry): void {
    store.set(entry.go, true);
    input.value = '';
    find();
    input.blur();
  }

  input.addEventListener('input', find);
  input.addEventListener('blur', () => {
    list.hidden = true;
  });
  input.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      at = (at + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % Math.max(1, found.length);
      show();
    } else if (event.key === 'Enter' && found[at]) take(found[at]);
    else if (event.key === 'Escape') {
      input.value = '';
      find();
      input.blur();
    }
  });
  return { element: h('div', { class: 'search' }, input, list), focus: () => input.focus() };
}
