// The decision map of a comparison: what each strategy costs by what it leaves stale, with intervals,
// seeds as faint dots, and hollow marks where a promise was broken. Below it the paired differences of
// the strategy that is chosen, and every metric as a table.

import { extent } from 'd3-array';
import { scaleLinear, scaleLog } from 'd3-scale';
import { line as path_of, curveStepAfter } from 'd3-shape';
import type { ComparisonData, Point, Strategy } from '../data';
import type { Make } from '../view';
import { Boxes } from '../boxes';
import { command, h, s } from '../dom';
import { count, metric, plural } from '../format';
import { table, type Column } from '../table';
import { hue } from '../theme';

const value = (point: Point, name: string): number | null => point.metrics[name] ?? null;

/** The words of a cell: what was varied, and to what. */
function cell_name(data: ComparisonData, cell: number): string {
  const parts: string[] = [];
  let rest = cell;
  for (const { path, values } of [...data.vary].reverse()) {
    parts.unshift(`${path} = ${values[rest % values.length]}`);
    rest = Math.floor(rest / values.length);
  }
  return parts.join(', ');
}

const rank = (sorted: number[], q: number): number =>
  sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];

const fixed = (n: number): string => (Math.abs(n) < 0.005 ? 0 : n).toFixed(2);

interface Mark {
  strategy: Strategy;
  index: number;
  x: { mid: number; low: number; high: number };
  y: { mid: number; low: number; high: number };
}

export const decision_map: Make<ComparisonData> = (data, store) => {
  const names = data.metrics.map((metric) => metric.name);
  const of_name = new Map(data.metrics.map((metric) => [metric.name, metric]));
  const words = (name: string): string => of_name.get(name)?.words ?? name;
  const cells = Math.max(
    1,
    data.vary.reduce((n, v) => n * v.values.length, 1),
  );
  const plot = s('svg', { class: 'map', role: 'group', 'aria-label': 'decision map' });
  const caption = h('p', { class: 'note' });
  const panel = h('section', {
    class: 'details',
    'aria-live': 'polite',
    'aria-label': 'the chosen strategy',
  });
  const holder = h('div', { class: 'wide' }, plot, caption);

  const choice = (
    label: string,
    fallback: string,
    set: (name: string) => void,
  ): HTMLSelectElement => {
    const select = h(
      'select',
      { 'aria-label': label },
      ...names.map((name) => h('option', { value: name }, words(name))),
    );
    select.addEventListener('change', () => set(select.value === fallback ? '' : select.value));
    return select;
  };
  const x_name = (): string =>
    store.state.x ?? (names.includes('repair_bytes') ? 'repair_bytes' : names[0]);
  const y_name = (): string =>
    store.state.y ??
    ['stale_key_ns', 'stale_ns'].find((n) => names.includes(n)) ??
    names[1] ??
    names[0];
  const x_pick = choice('across', 'repair_bytes', (name) => store.set({ x: name || null }, true));
  const y_pick = choice('up', 'stale_key_ns', (name) => store.set({ y: name || null }, true));
  const cell_pick = h(
    'select',
    { 'aria-label': 'cell' },
    h('option', { value: '' }, 'all of what was varied'),
    ...Array.from({ length: cells }, (_, i) => h('option', { value: i }, cell_name(data, i))),
  );
  cell_pick.addEventListener('change', () =>
    store.set({ cell: cell_pick.value === '' ? null : Number(cell_pick.value) }, true),
  );

  const points_of = (strategy: Strategy): Point[] =>
    strategy.points.filter((p) => store.state.cell === null || p.cell === store.state.cell);

  function spread(strategy: Strategy, name: string): Mark['x'] | null {
    const summary = strategy.summary[name];
    if (store.state.cell === null && summary)
      return { mid: summary.median, low: summary.p10, high: summary.p90 };
    const sorted = points_of(strategy)
      .map((p) => value(p, name))
      .filter((v) => v !== null)
      .sort((a, b) => a - b);
    return sorted.length
      ? { mid: rank(sorted, 0.5), low: rank(sorted, 0.1), high: rank(sorted, 0.9) }
      : null;
  }

  // Log where it pays, with room for zero.
  function scale_of(
    name: string,
    values: number[],
    range: [number, number],
    most: number,
  ): { at(v: number): number; ticks: number[] } {
    const [low, high] = extent(values) as [number, number];
    const positive = values.filter((v) => v > 0);
    const least = Math.min(...positive, high || 1);
    const pad = (range[1] - range[0]) * 0.06;
    const inner: [number, number] = [range[0] + pad, range[1] - pad];
    if (positive.length === 0 || high / least < 4) {
      if (low > 0 || positive.length === 0) {
        const scale = scaleLinear([low, high === low ? low + 1 : high], inner).nice(5);
        return { at: scale, ticks: scale.ticks(5) };
      }
    }
    if (low > 0) {
      const scale = scaleLog([low / 1.3, high * 1.3], inner);
      const [from, to] = scale.domain();
      const ticks = ticks_of(name, from, to, most);
      return { at: scale, ticks: ticks.length > 1 ? ticks : [low, high] };
    }
    // Zero has no logarithm: it stands apart, and what is above it follows in logarithms.
    const gap = (inner[1] - inner[0]) * 0.16;
    const scale = scaleLog(
      [least / 1.3, Math.max(high, least * 10) * 1.3],
      [inner[0] + gap, inner[1]],
    );
    const [from, to] = scale.domain();
    return {
      at: (v) => (v <= 0 ? inner[0] : scale(v)),
      ticks: [0, ...ticks_of(name, from, to, most)],
    };
  }

  // Powers of two for bytes, of ten for all else; as few as can be told apart.
  function ticks_of(name: string, low: number, high: number, most: number): number[] {
    for (const base of /bytes$/.test(name) ? [4, 16, 64, 1024] : [10, 100, 1000]) {
      const first = Math.ceil(Math.log(low) / Math.log(base) - 1e-9);
      const out: number[] = [];
      for (let t = base ** first; t <= high; t *= base) out.push(t);
      if (out.length <= most) return out;
    }
    return [];
  }

  /** Of what is shown, and kept its promises: those that none beats in both, from left to right. */
  function front_of(marks: Mark[], xn: string, yn: string): Mark[] {
    const costs = [xn, yn].every((name) => of_name.get(name)?.better === 'less');
    const kept = costs ? marks.filter((mark) => promised(mark.strategy) === 0) : [];
    const beats = (a: Mark, b: Mark): boolean =>
      a.x.mid <= b.x.mid && a.y.mid <= b.y.mid && (a.x.mid < b.x.mid || a.y.mid < b.y.mid);
    return kept
      .filter((mark) => !kept.some((other) => beats(other, mark)))
      .sort((a, b) => a.x.mid - b.x.mid);
  }

  function draw(): void {
    const width = holder.clientWidth || 640;
    const narrow = width < 560;
    const height = narrow ? 360 : 460;
    const box = { left: 64, right: width - 12, top: 14, bottom: height - 46 };
    plot.setAttribute('viewBox', `0 0 ${width} ${height}`);
    plot.setAttribute('height', String(height));
    plot.replaceChildren();
    const [xn, yn] = [x_name(), y_name()];
    const marks: Mark[] = [];
    data.strategies.forEach((strategy, index) => {
      const [x, y] = [spread(strategy, xn), spread(strategy, yn)];
      if (x && y) marks.push({ strategy, index, x, y });
    });
    const all = data.strategies.flatMap(points_of);
    const numbers = (name: string, side: 'x' | 'y'): number[] => [
      ...all.map((p) => value(p, name)).filter((v) => v !== null),
      ...marks.flatMap((mark) => [mark[side].low, mark[side].high]),
    ];
    const X = scale_of(xn, numbers(xn, 'x'), [box.left, box.right], narrow ? 4 : 8);
    const Y = scale_of(yn, numbers(yn, 'y'), [box.bottom, box.top], 6);

    for (const t of X.ticks)
      plot.append(
        s('line', { class: 'grid', x1: X.at(t), x2: X.at(t), y1: box.top, y2: box.bottom }),
        s(
          'text',
          { class: 'tick', x: X.at(t), y: box.bottom + 17, 'text-anchor': 'middle' },
          metric(xn, t),
        ),
      );
    for (const t of Y.ticks)
      plot.append(
        s('line', { class: 'grid', x1: box.left, x2: box.right, y1: Y.at(t), y2: Y.at(t) }),
        s(
          'text',
          { class: 'tick', x: box.left - 8, y: Y.at(t) + 4, 'text-anchor': 'end' },
          metric(yn, t),
        ),
      );
    plot.append(
      s(
        'text',
        { class: 'axis', x: box.right, y: height - 8, 'text-anchor': 'end' },
        `${words(xn)} →`,
      ),
      s('text', { class: 'axis', x: 0, y: 10 }, `↑ ${words(yn)}`),
    );

    const front = front_of(marks, xn, yn);
    if (front.length > 1)
      plot.append(
        s('path', {
          class: 'front',
          d: path_of<Mark>(
            (d) => X.at(d.x.mid),
            (d) => Y.at(d.y.mid),
          ).curve(curveStepAfter)(front),
        }),
      );

    const few = all.length <= 4000 ? 1 : Math.ceil(all.length / 4000);
    const dots = s('g', { class: 'seeds' });
    data.strategies.forEach((strategy, index) => {
      points_of(strategy).forEach((point, i) => {
        const [px, py] = [value(point, xn), value(point, yn)];
        if (i % few || px === null || py === null) return;
        const dot = s(
          'circle',
          {
            cx: X.at(px),
            cy: Y.at(py),
            r: 2.6,
            fill: hue(index),
            class: store.state.pick === strategy.name ? 'lit' : null,
          },
          s(
            'title',
            {},
            `${strategy.name}, seed ${point.seed}: ${metric(xn, px)}, ${metric(yn, py)}`,
          ),
        );
        dot.addEventListener('click', () => {
          seed = point;
          store.set({ pick: strategy.name }, true);
        });
        dots.append(dot);
      });
    });
    plot.append(dots);

    const boxes = new Boxes();
    for (const { x, y } of marks) {
      const [mx, my] = [X.at(x.mid), Y.at(y.mid)];
      boxes.block(mx - 8, my - 8, mx + 8, my + 8);
      boxes.block(X.at(x.low), my - 2, X.at(x.high), my + 2);
    }
    for (const mark of marks) {
      const [x, y] = [X.at(mark.x.mid), Y.at(mark.y.mid)];
      const picked = store.state.pick === mark.strategy.name;
      const colour = hue(mark.index);
      const broke = promised(mark.strategy) > 0;
      const text = mark.strategy.name;
      const says = `${text}: ${metric(xn, mark.x.mid)} ${words(xn)}, ${metric(yn, mark.y.mid)} ${words(yn)}${broke ? ', broke a promise' : mark.strategy.broken.length ? ', broke what it does not promise' : ''}`;
      const group = s(
        'g',
        {
          class: picked ? 'strategy picked' : 'strategy',
          tabindex: 0,
          role: 'button',
          'aria-label': says,
          'data-strategy': text,
          'aria-pressed': String(picked),
        },
        s('title', {}, says),
      );
      group.append(
        s('line', { x1: X.at(mark.x.low), x2: X.at(mark.x.high), y1: y, y2: y, stroke: colour }),
        s('line', { x1: x, x2: x, y1: Y.at(mark.y.low), y2: Y.at(mark.y.high), stroke: colour }),
        s('circle', {
          class: broke ? 'hollow' : null,
          cx: x,
          cy: y,
          r: picked ? 9 : 7,
          fill: broke ? 'var(--page)' : colour,
          stroke: broke ? colour : 'var(--page)',
          'stroke-width': broke ? 2.5 : 1.5,
        }),
      );
      // Beside the mark, or as near to that as there is room, with a line that leads to it.
      const w = text.length * 7.4;
      let at = y + 4;
      let lx = x + 14;
      let right = true;
      search: for (let k = 0; k < 30; ++k)
        for (const side of [true, false]) {
          at = y + 4 + (k % 2 ? 1 : -1) * Math.ceil(k / 2) * 8;
          right = side;
          lx = x + (side ? 14 : -14);
          const from = side ? lx : lx - w;
          if (from < box.left || from + w > box.right + 8 || at < box.top + 8) continue;
          if (at < box.bottom - 4 && boxes.take(from, at - 12, from + w, at + 4)) break search;
        }
      if (Math.abs(at - y - 4) > 10)
        group.append(
          s('line', {
            class: 'leader',
            x1: x,
            y1: y,
            x2: right ? lx - 3 : lx + 3,
            y2: at - 4,
            stroke: colour,
          }),
        );
      group.append(
        s(
          'text',
          {
            x: lx,
            y: at,
            'text-anchor': right ? 'start' : 'end',
            class: mark.strategy.name === data.reference ? 'reference' : null,
          },
          text,
        ),
      );
      const choose = (): void => {
        seed = null;
        store.set({ pick: text }, true);
      };
      group.addEventListener('click', choose);
      group.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' || event.key === ' ') choose();
      });
      plot.append(group);
    }
    const hidden = few > 1 ? ` One seed in ${few} is drawn (${count(all.length)} in all).` : '';
    caption.textContent = `Marks are medians, lines run from the 10th to the 90th percentile, dots are seeds. Hollow: a promise was broken.${front.length > 1 ? ' The stepped line joins those that kept their promises and that no other such beats in both.' : ''}${hidden}`;
  }

  // Runs that broke what was promised, summed over invariants; and what nobody had promised.
  const promised = (strategy: Strategy): number =>
    strategy.broken.reduce((n, b) => n + b.promised, 0);
  const besides = (strategy: Strategy): number =>
    strategy.broken.reduce((n, b) => n + b.seeds - b.promised, 0);
  let seed: Point | null = null;

  function show_panel(): void {
    const strategy = data.strategies.find((st) => st.name === store.state.pick);
    if (!strategy) {
      panel.replaceChildren(
        h(
          'p',
          { class: 'note' },
          `Choose a strategy to see how it differs from ${data.reference}, seed by seed.`,
        ),
      );
      return;
    }
    const chosen = seed && strategy.points.includes(seed) ? seed : null;
    const broken = strategy.broken.map((b) =>
      h(
        'li',
        { class: b.promised ? 'bad' : null },
        `${b.invariant}, ${plural(b.seeds, 'run')} of ${count(strategy.points.length)}: ${b.promised === 0 ? 'not promised' : b.promised === b.seeds ? 'PROMISED' : `PROMISED in ${count(b.promised)}`}`,
      ),
    );
    panel.replaceChildren(
      h('h3', {}, strategy.name),
      strategy.name === data.reference
        ? h('p', { class: 'sub' }, 'the one that the others are compared with')
        : h('p', { class: 'sub' }, `paired with ${data.reference}: same seed, same cell`),
      broken.length
        ? h('ul', { class: 'broken' }, ...broken)
        : h('p', { class: 'good' }, 'broke nothing'),
      strategy.name === data.reference ? '' : differences(strategy),
      h('h4', {}, chosen ? `Seed ${chosen.seed}` : 'A seed of it'),
      chosen ? seed_of(chosen) : pick_seed(strategy),
    );
  }

  function pick_seed(strategy: Strategy): HTMLElement {
    const points = points_of(strategy);
    const select = h(
      'select',
      { 'aria-label': 'seed' },
      h('option', { value: '' }, 'choose a seed, or click a dot'),
      ...points
        .slice(0, 500)
        .map((p, i) =>
          h(
            'option',
            { value: i },
            `seed ${p.seed}${data.vary.length ? `, ${cell_name(data, p.cell)}` : ''}: ${p.verdict}`,
          ),
        ),
    );
    select.addEventListener('change', () => {
      seed = points[Number(select.value)] ?? null;
      show_panel();
    });
    return h('div', {}, select);
  }

  const seed_of = (point: Point): HTMLElement =>
    h(
      'div',
      {},
      h(
        'p',
        { class: 'sub' },
        `${point.verdict}${data.vary.length ? `, ${cell_name(data, point.cell)}` : ''}: ${metric(x_name(), value(point, x_name()))} ${words(x_name())}, ${metric(y_name(), value(point, y_name()))} ${words(y_name())}`,
      ),
      command(point.command),
    );

  // Each metric has its own unit, so each row its own scale, around no difference.
  function differences(strategy: Strategy): HTMLElement {
    const rows = data.metrics.flatMap(({ name }) => {
      const sum = strategy.summary[name];
      if (!sum || sum.difference === null || sum.low === null || sum.high === null) return [];
      const most = Math.max(Math.abs(sum.low), Math.abs(sum.high), Math.abs(sum.difference)) || 1;
      const at = scaleLinear([-most, most], [6, 114]);
      const better = of_name.get(name)!.better;
      const less = sum.difference < 0;
      const tone =
        sum.inconclusive || sum.same
          ? 'open'
          : better
            ? less === (better === 'less')
              ? 'better'
              : 'worse'
            : null;
      const sign = sum.difference > 0 ? '+' : '';
      return [
        h(
          'tr',
          { class: tone },
          h('th', { scope: 'row', title: name }, words(name)),
          h('td', { class: 'number' }, sum.same ? 'same' : sign + metric(name, sum.difference)),
          h(
            'td',
            {},
            s(
              'svg',
              {
                class: 'interval',
                viewBox: '0 0 120 18',
                role: 'img',
                'aria-label': `from ${metric(name, sum.low)} to ${metric(name, sum.high)}${sum.inconclusive ? ', inconclusive' : ''}`,
              },
              s('line', { class: 'zero', x1: 60, x2: 60, y1: 1, y2: 17 }),
              s('line', { class: 'run', x1: at(sum.low), x2: at(sum.high), y1: 9, y2: 9 }),
              s('circle', { cx: at(sum.difference), cy: 9, r: 4 }),
            ),
          ),
        ),
      ];
    });
    return h(
      'table',
      { class: 'differences' },
      h('caption', {}, 'Median difference, with its 95% interval; hollow where it says nothing'),
      h('tbody', {}, ...rows),
    );
  }

  const columns: Column<Strategy>[] = [
    { name: 'strategy', value: (st) => st.name },
    {
      name: 'promises broken',
      number: true,
      value: promised,
      help: 'runs in which something promised did not hold, summed over invariants',
    },
    {
      name: 'and not promised',
      number: true,
      value: besides,
      help: 'runs in which something that nobody promised did not hold, summed over invariants',
    },
    {
      name: 'front',
      value: (st) => (st.front ? 'yes' : ''),
      help: 'of those that kept their promises, none is better in repair bytes, stale copies x time, time to converge or time unavailable, and no worse in the others',
    },
    ...data.metrics.map(({ name, help }): Column<Strategy> => ({
      name: words(name),
      help,
      number: true,
      value: (st) => st.summary[name]?.median ?? null,
      show: (st) => metric(name, st.summary[name]?.median ?? null),
    })),
  ];
  const fits = data.fits.length
    ? [
        h('h2', {}, 'How cost grows'),
        table(
          'Fitted exponents: a metric grows as what was varied to that power',
          [
            { name: 'strategy', value: (fit: ComparisonData['fits'][0]) => fit.strategy },
            { name: 'metric', value: (fit) => words(fit.metric) },
            { name: 'with', value: (fit) => fit.path },
            {
              name: 'exponent',
              number: true,
              value: (fit) => fit.exponent,
              show: (fit) => `${fixed(fit.exponent)} (${fixed(fit.low)} to ${fixed(fit.high)})`,
            },
          ],
          data.fits,
          3,
          true,
        ),
      ]
    : [];

  new ResizeObserver(() => draw()).observe(holder);
  const bar = h(
    'div',
    { class: 'bar' },
    h('label', {}, 'across ', x_pick),
    h('label', {}, 'up ', y_pick),
    cells > 1 ? h('label', {}, 'where ', cell_pick) : null,
  );

  return {
    id: 'map',
    title: 'Decision map',
    element: h(
      'section',
      { class: 'view', 'aria-label': 'comparison' },
      bar,
      h('div', { class: 'split' }, holder, panel),
      h('h2', {}, 'All metrics'),
      table(
        `Medians over ${plural(data.seeds, 'seed')}${cells > 1 ? ` in each of ${cells} cells` : ''}`,
        columns,
        data.strategies,
      ),
      ...fits,
    ),
    update() {
      x_pick.value = x_name();
      y_pick.value = y_name();
      cell_pick.value = store.state.cell === null ? '' : String(store.state.cell);
      draw();
      show_panel();
    },
  };
};
