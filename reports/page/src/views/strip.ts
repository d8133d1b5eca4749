// The staleness strip: a row a node, coloured by how many of its keys are stale or missing, with the
// reads that it answered below. What is wrong, where, and for how long, at a glance.

import { bisector } from 'd3-array';
import type { NodeSpan, Operation, RunData } from '../data';
import type { Make } from '../view';
import { linear } from '../axis';
import { h, s } from '../dom';
import { count, moment, plural } from '../format';
import { hatch, row_name } from '../paint';
import { colour, heat } from '../theme';
import { Timeline, TOP, font, type Scale } from '../timeline';

const ROW = 58;
const BAR = 30;
const TOUCHABLE = 300; // stale reads that get an element each; more are only drawn

const by_end = bisector((span: NodeSpan) => span.to).right;
const is_read = (op: Operation): boolean => op.kind.includes('read');
const up = (span: Moment): boolean => span.state !== 'dead' && span.state !== 'offline';
const bad = (span: Moment): number => span.stale + span.missing;

type Moment = Pick<NodeSpan, 'state' | 'keys' | 'stale' | 'missing'>;
const brief = (span: Moment): string =>
  span.state === 'dead' || span.state === 'offline'
    ? 'down'
    : bad(span)
      ? `${bad(span)} behind`
      : String(span.keys);

export function describe(span: Moment): string {
  if (span.state === 'dead') return `down, ${plural(span.keys, 'key')} on disk`;
  if (span.state === 'offline') return `down and removed, ${plural(span.keys, 'key')} on disk`;
  const parts = [plural(span.keys, 'key')];
  if (span.missing) parts.push(`${span.missing} missing`);
  if (span.stale) parts.push(`${span.stale} stale`);
  if (span.state !== 'alive') parts.push(span.state);
  return parts.join(', ');
}

export function span_at(spans: NodeSpan[], at: number): NodeSpan | null {
  const span = spans[Math.min(spans.length - 1, by_end(spans, at))];
  return span && span.from <= at ? span : null;
}

export const strip: Make<RunData> = (run, store) => {
  const worst = Math.max(
    1,
    ...run.nodes.map((n) => n.spans.reduce((m, span) => Math.max(m, bad(span)), 0)),
  );
  const reads = run.nodes.map((node) =>
    run.operations
      .filter((op) => is_read(op) && op.via === node.name)
      .sort((a, b) => a.invoked - b.invoked),
  );
  const wrong = run.operations.filter((op) => is_read(op) && op.stale);

  const open = (op: Operation): void =>
    store.set(
      { view: 'key', key: op.key, cursor: op.returned ?? op.invoked, from: null, to: null },
      true,
    );

  function bar(ctx: CanvasRenderingContext2D, scale: Scale, spans: NodeSpan[], y: number): void {
    // Spans narrower than a pixel are drawn as the worst that falls on it.
    let column = -1;
    let share = 0;
    const flush = (): void => {
      if (column < 0) return;
      ctx.fillStyle = heat(share);
      ctx.fillRect(column, y, 1, BAR);
      column = -1;
    };
    for (let i = by_end(spans, scale.from); i < spans.length && spans[i].from <= scale.to; ++i) {
      const span = spans[i];
      const x = Math.max(scale.left, scale.x(span.from));
      const end = Math.min(scale.right, scale.x(span.to));
      if (end - x < 1) {
        const at = Math.floor(x);
        if (at !== column) {
          flush();
          column = at;
          share = 0;
        }
        share = Math.max(share, up(span) ? bad(span) / worst : 0);
        continue;
      }
      flush();
      if (up(span)) {
        ctx.fillStyle = heat(bad(span) / worst);
        ctx.fillRect(x, y, end - x, BAR);
        if (span.state === 'syncing') {
          ctx.fillStyle = colour('accent');
          ctx.fillRect(x, y + BAR - 3, end - x, 3);
        }
      } else hatch(ctx, x, y, end - x, BAR);
      if (span.leader) {
        ctx.fillStyle = colour('leader');
        ctx.fillRect(x, y - 4, end - x, 2);
      }
      ctx.font = font(12, bad(span) ? 600 : 400);
      ctx.fillStyle = bad(span) / worst > 0.3 && up(span) ? colour('on-heat') : colour('ink');
      const room = end - x - 14;
      const text = [describe(span), brief(span)].find((t) => ctx.measureText(t).width <= room);
      if (text) ctx.fillText(text, x + 8, y + BAR / 2 + 0.5);
    }
    flush();
    outline(ctx, scale, spans, y);
  }

  // One outline around all that is claimed without a break; a heavy one where the claim is false.
  function outline(
    ctx: CanvasRenderingContext2D,
    scale: Scale,
    spans: NodeSpan[],
    y: number,
  ): void {
    for (let i = by_end(spans, scale.from); i < spans.length && spans[i].from <= scale.to; ++i) {
      if (!spans[i].claims) continue;
      const first = i;
      const is_false = bad(spans[i]) > 0;
      while (i + 1 < spans.length && spans[i + 1].claims && bad(spans[i + 1]) > 0 === is_false) ++i;
      const x = Math.max(scale.left, scale.x(spans[first].from));
      const end = Math.min(scale.right, scale.x(spans[i].to));
      if (end - x < 3) continue;
      ctx.strokeStyle = colour(is_false ? 'ink' : 'claim');
      ctx.lineWidth = is_false ? 2 : 1;
      ctx.strokeRect(
        x + ctx.lineWidth / 2,
        y + ctx.lineWidth / 2,
        end - x - ctx.lineWidth,
        BAR - ctx.lineWidth,
      );
      ctx.lineWidth = 1;
    }
  }

  function ticks(
    ctx: CanvasRenderingContext2D,
    svg: SVGSVGElement,
    scale: Scale,
    list: Operation[],
    y: number,
  ): void {
    const seen = list.filter(
      (op) => op.invoked <= scale.to && (op.returned ?? op.invoked) >= scale.from,
    );
    const stale = seen.filter((op) => op.stale);
    ctx.fillStyle = colour('muted');
    for (const op of seen)
      if (!op.stale) ctx.fillRect(scale.x(op.returned ?? op.invoked) - 0.75, y + BAR + 4, 1.5, 8);
    ctx.fillStyle = colour('bad');
    if (stale.length > TOUCHABLE) {
      for (const op of stale)
        ctx.fillRect(scale.x(op.returned ?? op.invoked) - 1, y + BAR + 4, 2, 10);
      return;
    }
    for (const op of stale) {
      const x = Math.min(scale.right, scale.x(op.returned ?? op.invoked));
      const says = `${op.via} answered a read of ${op.key} with ${op.result} at ${moment(op.returned ?? op.invoked)}, which is stale`;
      const mark = s(
        'g',
        {
          class: 'stale-read',
          'data-hit': op.id,
          tabindex: 0,
          role: 'button',
          'aria-label': `${says}: show the life of the key`,
        },
        s('title', {}, says),
        s('rect', { x: x - 14, y: y + BAR - 2, width: 28, height: 26, fill: 'transparent' }),
        s('path', { d: `M${x} ${y + BAR + 2}l5.5 10h-11z` }),
      );
      mark.addEventListener('click', () => open(op));
      mark.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' || event.key === ' ') open(op);
      });
      svg.append(mark);
    }
    if (stale.length === 1) {
      const x = scale.x(stale[0].returned ?? stale[0].invoked);
      ctx.font = font(11, 600);
      ctx.textAlign = 'right';
      ctx.fillText(
        `read ${stale[0].key}: ${stale[0].result.replace('-', ' ')}`,
        x - 10,
        y + BAR + 10,
      );
      ctx.textAlign = 'left';
    }
  }

  const timeline = new Timeline({
    store,
    labels: run.labels,
    end: run.virtual_ns,
    name: 'staleness of each node over time',
    axis: () => linear,
    height: () => TOP + 10 + ROW * run.nodes.length,
    gutter: (width) => (width < 600 ? 58 : 92),
    draw(ctx, svg, scale) {
      run.nodes.forEach((node, i) => {
        const y = TOP + 10 + i * ROW;
        row_name(ctx, node.name, y + BAR / 2, scale.left - 6);
        bar(ctx, scale, node.spans, y);
        ticks(ctx, svg, scale, reads[i], y);
      });
    },
    hover(x, y, scale) {
      const row = Math.floor((y - TOP - 10) / ROW);
      if (x < scale.left || row < 0 || row >= run.nodes.length) return null;
      const at = scale.t(x);
      const span = span_at(run.nodes[row].spans, at);
      if (!span) return null;
      const claim = !span.claims
        ? ''
        : bad(span)
          ? '; serves as if it were repaired, and is not'
          : '; serves as repaired';
      return `${run.nodes[row].name} at ${moment(at)}: ${describe(span)}${span.leader ? ', leads' : ''}${claim}`;
    },
  });

  const legend = h(
    'ul',
    { class: 'legend', 'aria-label': 'legend' },
    h('li', {}, h('i', { class: 'swatch calm' }), 'has all of its keys'),
    h('li', {}, h('i', { class: 'swatch ramp' }), `stale or missing keys, up to ${worst}`),
    h('li', {}, h('i', { class: 'swatch down' }), 'down'),
    h('li', {}, h('i', { class: 'swatch lie' }), 'claims to be repaired, and is not'),
    h('li', {}, h('i', { class: 'swatch lead' }), 'leads'),
    h('li', {}, h('i', { class: 'swatch read' }), 'a stale read'),
  );

  const list = h('ol', { class: 'wrong' });
  for (const op of wrong.slice(0, 50)) {
    const button = h(
      'button',
      { type: 'button', class: 'card' },
      h(
        'strong',
        {},
        `${op.via ?? 'a node'} answered ${op.result.replace('-', ' ').toUpperCase()} for ${op.key}`,
      ),
      h(
        'span',
        { class: 'when' },
        `${op.label ? `${op.label}, ` : ''}${moment(op.returned ?? op.invoked)}`,
      ),
      h('span', { class: 'why' }, op.why ?? ''),
      h('span', { class: 'go' }, `the life of ${op.key} →`),
    );
    button.addEventListener('click', () => open(op));
    list.append(h('li', {}, button));
  }
  const rest = wrong.length - Math.min(50, wrong.length);

  const steps = h(
    'div',
    { class: 'table', tabindex: 0, role: 'region', 'aria-label': 'the nodes after each step' },
    h(
      'table',
      {},
      h('caption', {}, 'The nodes after each step'),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['step', 'time', 'what happened', ...run.nodes.map((n) => n.name)].map((t) =>
            h('th', { scope: 'col' }, t),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        ...run.labels.map((label) => {
          const go = h('button', { type: 'button', class: 'link' }, label.label);
          go.addEventListener('click', () => store.set({ cursor: label.at }));
          return h(
            'tr',
            {},
            h('th', { scope: 'row' }, go),
            h('td', { class: 'number' }, moment(label.at)),
            h('td', { class: 'text' }, label.what),
            ...run.nodes.map((node, i) => {
              const span = label.nodes[i] ?? span_at(node.spans, label.completed);
              return h(
                'td',
                { class: span && up(span) && bad(span) ? 'bad' : null },
                span ? describe(span) : '',
              );
            }),
          );
        }),
      ),
    ),
  );

  const now = h('p', { class: 'now', role: 'status' });
  const element = h(
    'section',
    { class: 'view', 'aria-label': 'staleness' },
    timeline.element,
    legend,
    run.hidden.spans
      ? h(
          'p',
          { class: 'note' },
          `${count(run.hidden.spans)} changes are too short to be seen, and are shown as the worst of what is next to them.`,
        )
      : null,
    now,
    wrong.length
      ? h(
          'h2',
          {},
          `Reads that were wrong: ${wrong.length} of ${run.operations.filter(is_read).length}`,
        )
      : null,
    wrong.length ? list : null,
    rest > 0 ? h('p', { class: 'note' }, `${rest} more are ticks above and are not listed.`) : null,
    h('h2', {}, 'Step by step'),
    steps,
  );

  return {
    id: 'strip',
    title: 'Staleness',
    element,
    timeline,
    moments: () => [
      ...run.labels.map((l) => l.at),
      ...wrong.map((op) => op.returned ?? op.invoked),
    ],
    update() {
      timeline.draw();
      const at = store.state.cursor;
      now.replaceChildren();
      if (at === null)
        now.append('Click the strip, or press an arrow key, to see each node at that moment.');
      else {
        now.append(h('b', {}, moment(at)));
        for (const node of run.nodes) {
          const span = span_at(node.spans, at);
          if (span)
            now.append(
              h('span', { class: bad(span) ? 'bad' : null }, `${node.name}: ${describe(span)}`),
            );
        }
      }
    },
  };
};
