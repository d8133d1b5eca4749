// The messages of the space-time diagram as a table, for those who read tables.

import type { RunData } from '../data';
import type { Shown } from '../shown';
import type { Store } from '../state';
import { within } from '../axis';
import { h } from '../dom';
import { count, moment } from '../format';

export function message_table(
  run: RunData,
  store: Store,
): { element: HTMLElement; update(shown: Shown): void } {
  const m = run.messages;
  let shown: Shown | null = null;
  const rows = h('tbody');
  const as_table = h(
    'details',
    { class: 'as-table' },
    h('summary', {}, 'Messages as a table'),
    h(
      'div',
      { class: 'table', tabindex: 0, role: 'region', 'aria-label': 'messages' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...['sent', 'message', 'from', 'to', 'for', 'arrived'].map((t) =>
              h('th', { scope: 'col' }, t),
            ),
          ),
        ),
        rows,
      ),
    ),
  );
  as_table.addEventListener('toggle', () => fill_table());
  function fill_table(): void {
    if (!as_table.open || !shown) return;
    const { from, to } = store.state;
    const [low, high] = within(shown.sent, from ?? 0, to ?? run.virtual_ns);
    rows.replaceChildren(
      ...Array.from(shown.messages.subarray(low, Math.min(high, low + 200)), (i) => {
        const arrived = m.arrived[i];
        return h(
          'tr',
          {},
          ...[
            moment(m.sent[i], 1e3),
            run.kinds[m.kind[i]],
            run.hosts[m.from[i]],
            run.hosts[m.to[i]],
            run.purposes[m.purpose[i]],
            arrived === null ? run.fates[m.fate[i]] : moment(arrived, 1e3),
          ].map((t) => h('td', {}, t)),
        );
      }),
      ...(high > low + 200
        ? [
            h(
              'tr',
              {},
              h(
                'td',
                { colspan: 6, class: 'note' },
                `${count(high - low - 200)} more in this window are not listed.`,
              ),
            ),
          ]
        : []),
    );
  }

  return {
    element: as_table,
    update(now) {
      shown = now;
      fill_table();
    },
  };
}
