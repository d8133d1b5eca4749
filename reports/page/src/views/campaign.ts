// A campaign: failures by signature with the command that shows each, how often seeds failed, which
// faults met which phases, and how many seeds it takes to find bugs that were planted.

import { scaleLinear, scaleLog } from 'd3-scale';
import type { CampaignData } from '../data';
import type { Make } from '../view';
import { command, h, s } from '../dom';
import { count, plural } from '../format';

export const campaign: Make<CampaignData> = (data) => {
  const rate = h('div', { class: 'plot' });
  const planted = h('div', { class: 'plot' });

  function draw_rate(): void {
    const width = rate.clientWidth || 640;
    const height = 120;
    const most = Math.max(1, ...data.rate.map((r) => r.failed));
    const last = data.rate.at(-1)?.seed ?? 1;
    const before = (data.first ?? 1) - 1;
    const x = scaleLinear([before, last], [34, width - 14]);
    const y = scaleLinear([0, most], [height - 24, 12]);
    const svg = s('svg', {
      viewBox: `0 0 ${width} ${height}`,
      height,
      role: 'img',
      'aria-label': `${data.failed} of ${data.seeds} seeds failed; at most ${most} in a bin`,
    });
    for (const t of y.ticks(Math.min(4, most)))
      svg.append(
        s('line', { class: 'grid', x1: 34, x2: width - 14, y1: y(t), y2: y(t) }),
        s('text', { class: 'tick', x: 28, y: y(t) + 4, 'text-anchor': 'end' }, String(t)),
      );
    for (const t of x.ticks(width < 500 ? 4 : 8))
      svg.append(
        s('text', { class: 'tick', x: x(t), y: height - 6, 'text-anchor': 'middle' }, count(t)),
      );
    data.rate.forEach((bin, i) => {
      const from = x(i ? data.rate[i - 1].seed : before);
      svg.append(
        s(
          'rect',
          {
            class: 'failed',
            x: from + 0.5,
            width: Math.max(1, x(bin.seed) - from - 1.5),
            y: y(bin.failed),
            height: y(0) - y(bin.failed),
            rx: 1.5,
          },
          s('title', {}, `up to seed ${count(bin.seed)}: ${bin.failed} failed`),
        ),
      );
    });
    rate.replaceChildren(svg);
  }

  function draw_planted(): void {
    const width = planted.clientWidth || 640;
    const list = [...data.planted].sort((a, b) => a.median - b.median);
    const left = Math.min(210, width * 0.46);
    const height = 30 * list.length + 40;
    const x = scaleLog([1, Math.max(10, ...list.map((p) => p.p90)) * 1.4], [left + 12, width - 60]);
    const svg = s('svg', {
      viewBox: `0 0 ${width} ${height}`,
      height,
      role: 'img',
      'aria-label': 'seeds until each planted bug was found',
    });
    for (let t = 1; t <= x.domain()[1]; t *= 10)
      svg.append(
        s('line', { class: 'grid', x1: x(t), x2: x(t), y1: 6, y2: height - 28 }),
        s('text', { class: 'tick', x: x(t), y: height - 12, 'text-anchor': 'middle' }, count(t)),
      );
    list.forEach((bug, i) => {
      const y = 20 + 30 * i;
      const all = bug.found === bug.of;
      svg.append(
        s(
          'g',
          { class: 'planted' },
          s(
            'title',
            {},
            `${bug.bug}, seen by ${bug.invariant}: median ${count(bug.median)} seeds, 90th percentile ${count(bug.p90)}, found in ${bug.found} of ${bug.of} stretches`,
          ),
          s('text', { x: left, y: y + 4, 'text-anchor': 'end' }, bug.bug),
          s('line', { x1: x(Math.max(1, bug.median)), x2: x(Math.max(1, bug.p90)), y1: y, y2: y }),
          s('circle', { cx: x(Math.max(1, bug.median)), cy: y, r: 5 }),
          s('circle', { class: 'end', cx: x(Math.max(1, bug.p90)), cy: y, r: 3 }),
          s(
            'text',
            { class: all ? 'tick' : 'bad', x: width - 6, y: y + 4, 'text-anchor': 'end' },
            `${bug.found}/${bug.of}`,
          ),
        ),
      );
    });
    planted.replaceChildren(svg);
  }

  const faults = [...new Set(data.coverage.map((c) => c.fault))];
  const phases = [...new Set(data.coverage.map((c) => c.phase))];
  const most = Math.max(1, ...data.coverage.map((c) => c.n));
  const times = (fault: string, phase: string): number =>
    data.coverage.find((c) => c.fault === fault && c.phase === phase)?.n ?? 0;
  const never = faults.length * phases.length - data.coverage.filter((c) => c.n > 0).length;
  const coverage = h(
    'div',
    { class: 'table', tabindex: 0, role: 'region', 'aria-label': 'coverage' },
    h(
      'table',
      { class: 'coverage' },
      h(
        'caption',
        {},
        `How often each fault met each phase${never ? `; ${plural(never, 'pair')} never did` : ''}`,
      ),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'fault'),
          ...phases.map((phase) => h('th', { scope: 'col', class: 'number' }, phase)),
        ),
      ),
      h(
        'tbody',
        {},
        ...faults.map((fault) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, fault),
            ...phases.map((phase) => {
              const n = times(fault, phase);
              const step =
                n === 0
                  ? 'none'
                  : String(Math.min(4, Math.floor((Math.log1p(n) / Math.log1p(most)) * 4.999)));
              return h('td', { class: 'number', 'data-step': step }, n === 0 ? 'never' : count(n));
            }),
          ),
        ),
      ),
    ),
  );

  const failures = [...data.failures]
    .sort((a, b) => b.seeds - a.seeds)
    .map((f) =>
      h(
        'article',
        { class: 'failure' },
        h('div', { class: 'big' }, h('b', {}, count(f.seeds)), f.seeds === 1 ? 'seed' : 'seeds'),
        h(
          'div',
          {},
          h('h3', {}, f.invariant),
          h('p', {}, f.says),
          h(
            'p',
            { class: 'sub' },
            `first at seed ${count(f.first)}; ${f.shrunk ? `shrunk to ${f.shrunk}` : 'not shrunk'}; saved as ${f.file}`,
          ),
          command(f.command),
        ),
      ),
    );

  const fact = (n: string, what: string, bad = false): HTMLElement =>
    h('div', { class: bad ? 'fact bad' : 'fact' }, h('b', {}, n), h('span', {}, what));
  new ResizeObserver(draw_rate).observe(rate);
  new ResizeObserver(draw_planted).observe(planted);

  return {
    id: 'campaign',
    title: 'Campaign',
    element: h(
      'section',
      { class: 'view', 'aria-label': 'campaign' },
      h(
        'div',
        { class: 'facts' },
        fact(count(data.seeds), 'seeds'),
        fact(count(data.failed), 'failed', data.failed > 0),
        fact(count(data.failures.length), 'signatures'),
        fact(count(data.vacuous), 'proved nothing'),
        fact(count(data.per_second), 'runs a second'),
      ),
      h('h2', {}, data.failures.length ? 'Failures by signature' : 'No failure'),
      ...failures,
      data.rate.length ? h('h2', {}, 'Failures along the seeds') : null,
      data.rate.length ? rate : null,
      data.coverage.length ? h('h2', {}, 'Faults by phase') : null,
      data.coverage.length ? coverage : null,
      data.planted.length ? h('h2', {}, 'Seeds until a planted bug is found') : null,
      data.planted.length ? planted : null,
      data.planted.length
        ? h(
            'p',
            { class: 'note' },
            'Large dots are medians, small ones 90th percentiles, over stretches of seeds; on the right, in how many stretches it was found at all.',
          )
        : null,
    ),
    update() {
      draw_rate();
      draw_planted();
    },
  };
};
