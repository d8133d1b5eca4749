// The panel beside the space-time diagram: what the chosen message or fact says, and what caused it.

import type { RunData } from '../data';
import type { Store } from '../state';
import { cause_of } from '../causal';
import { decoded } from '../decoded';
import { h } from '../dom';
import { bytes, count, duration, moment } from '../format';

/** A message in a line. */
export function message_line(run: RunData, i: number): string {
  const m = run.messages;
  const arrived = m.arrived[i];
  const way = `${run.kinds[m.kind[i]]}, ${run.hosts[m.from[i]]} to ${run.hosts[m.to[i]]}`;
  return arrived === null
    ? `${way}: ${run.fates[m.fate[i]]}`
    : `${way}, ${duration(arrived - m.sent[i])} under way`;
}

export function message_details(
  run: RunData,
  store: Store,
): { element: HTMLElement; update(): void } {
  const m = run.messages;
  const f = run.facts;
  const details = h('aside', {
    class: 'details',
    'aria-live': 'polite',
    'aria-label': 'the chosen message',
  });
  let details_for = '?';
  function show_details(): void {
    const { pick } = store.state;
    if (details_for === String(pick)) return;
    details_for = String(pick);
    const i = Number(pick?.slice(1));
    if (pick?.startsWith('m') && i < m.sent.length) details.replaceChildren(...of_message(i));
    else if (pick?.startsWith('f') && i < f.at.length) details.replaceChildren(...of_fact(i));
    else if (pick?.startsWith('g') && i < run.ghosts.length) {
      const ghost = run.ghosts[i];
      details.replaceChildren(
        h('h3', {}, 'Never sent'),
        h(
          'p',
          { class: 'sub' },
          `${run.hosts[ghost.from]} to ${run.hosts[ghost.to]}, not at ${moment(ghost.at)}`,
        ),
        h('p', {}, ghost.says),
      );
    } else
      details.replaceChildren(
        h(
          'p',
          { class: 'note' },
          'Click a message or a dot to see what it says and what caused it.',
        ),
      );
  }

  function link(text: string, go: () => void): HTMLElement {
    const button = h('button', { type: 'button', class: 'quiet' }, text);
    button.addEventListener('click', go);
    return button;
  }

  function causes(host: number, event: number): HTMLElement {
    const chain: number[] = [];
    let [at, bound] = [host, event];
    while (chain.length < 6) {
      const cause = cause_of(m, at, bound);
      if (cause < 0) break;
      chain.push(cause);
      [at, bound] = [m.from[cause], m.send_event[cause]];
    }
    if (chain.length === 0)
      return h('p', { class: 'note' }, 'No message reached that host before.');
    return h(
      'ol',
      { class: 'causes' },
      ...chain.map((i) =>
        h(
          'li',
          {},
          link(message_line(run, i), () => store.set({ pick: `m${i}`, cursor: m.sent[i] })),
          h('span', { class: 'note' }, ` ${moment(m.sent[i])}`),
        ),
      ),
    );
  }

  function of_message(i: number): HTMLElement[] {
    const arrived = m.arrived[i];
    const event = m.arrive_event[i] ?? m.send_event[i];
    return [
      h(
        'h3',
        {},
        h('i', { class: 'dot', style: `background:var(--proto-${m.purpose[i] % 4})` }),
        run.kinds[m.kind[i]],
      ),
      h(
        'p',
        { class: 'sub' },
        `${run.hosts[m.from[i]]} → ${run.hosts[m.to[i]]}, ${run.purposes[m.purpose[i]]}${m.bytes[i] >= 0 ? `, ${bytes(m.bytes[i])}` : ''}`,
      ),
      h(
        'p',
        { class: 'sub' },
        `sent ${moment(m.sent[i], 1e3)}${arrived === null ? `: ${run.fates[m.fate[i]]}` : `, arrived ${moment(arrived, 1e3)}`}`,
      ),
      decoded(run.strings[m.text[i]]),
      h('h4', {}, 'What came before it at its sender'),
      causes(m.from[i], m.send_event[i]),
      h(
        'p',
        {},
        link('only the past of this', () => store.set({ scope: 'past', event }, true)),
        m.key[i] >= 0
          ? link(`the life of ${run.keys[m.key[i]]}`, () =>
              store.set(
                { view: 'key', key: run.keys[m.key[i]], from: null, to: null, cursor: m.sent[i] },
                true,
              ),
            )
          : '',
      ),
    ];
  }

  function of_fact(i: number): HTMLElement[] {
    return [
      h('h3', {}, run.fact_kinds[f.kind[i]]),
      h(
        'p',
        { class: 'sub' },
        `${f.host[i] < 0 ? 'the world' : run.hosts[f.host[i]]}, ${moment(f.at[i], 1e3)}, event ${count(f.event[i])}`,
      ),
      decoded(run.strings[f.text[i]]),
      ...(f.host[i] < 0
        ? []
        : [h('h4', {}, 'What reached it before'), causes(f.host[i], f.event[i])]),
      h(
        'p',
        {},
        link('only the past of this', () => store.set({ scope: 'past', event: f.event[i] }, true)),
      ),
    ];
  }

  return { element: details, update: show_details };
}
