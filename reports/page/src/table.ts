// A table that is sorted by a click on a column's head.

import { ascending, descending } from 'd3-array';
import { h } from './dom';

export interface Column<R> {
  name: string;
  help?: string;
  /** To sort by. */
  value(row: R): string | number | null;
  /** To show; the value unless given. */
  show?(row: R): string | Node;
  number?: boolean;
}

export function table<R>(
  caption: string,
  columns: Column<R>[],
  rows: R[],
  sorted = 0,
  down = false,
): HTMLElement {
  const body = h('tbody');
  const heads = columns.map((column, i) => {
    const button = h('button', { type: 'button', title: column.help }, column.name);
    button.addEventListener('click', () => {
      down = sorted === i ? !down : !!column.number;
      sorted = i;
      fill();
    });
    return h('th', { scope: 'col', class: column.number ? 'number' : null }, button);
  });
  function fill(): void {
    heads.forEach((head, i) =>
      head.setAttribute('aria-sort', i !== sorted ? 'none' : down ? 'descending' : 'ascending'),
    );
    const { value } = columns[sorted];
    const by = down ? descending : ascending;
    // What has no value comes last either way.
    const order = [...rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      return by(x, y);
    });
    body.replaceChildren(
      ...order.map((row) =>
        h(
          'tr',
          {},
          ...columns.map((column, i) => {
            const shown = column.show ? column.show(row) : String(column.value(row) ?? '');
            const name = column.number ? 'number' : null;
            return i === 0
              ? h('th', { scope: 'row', class: name }, shown)
              : h('td', { class: name }, shown);
          }),
        ),
      ),
    );
  }
  fill();
  return h(
    'div',
    { class: 'table', tabindex: 0, role: 'region', 'aria-label': caption },
    h('table', {}, h('caption', {}, caption), h('thead', {}, h('tr', {}, ...heads)), body),
  );
}
