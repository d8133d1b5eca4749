// One key's life: what clients did with it, then which version each replica held. Bars of one colour
// are one write; an arrow leads from a stale read to the write that it should have seen.

import type { Held, Operation, RunData } from '../data';
import type { Make } from '../view';
import { median } from 'd3-array';
import { Boxes } from '../boxes';
import { linear, make_axis, type Axis } from '../axis';
import { h, s } from '../dom';
import { count, duration, moment, plural } from '../format';
import { fit_text, hatch, row_name } from '../paint';
import { colour, hue } from '../theme';
import { Timeline, TOP, font, type Scale } from '../timeline';

const OPERATION = 30;
const REPLICA = 40;
const GAP = 34;

/** Puts operations that overlap below each other. */
function lanes(operations: Operation[], end: number): Map<string, number> {
  const free: number[] = [];
  const lane = new Map<string, number>();
  for (const op of operations) {
    let at = free.findIndex((until) => until <= op.invoked);
    if (at < 0) at = free.length;
    free[at] = op.returned ?? end;
    lane.set(op.id, at);
  }
  return lane;
}

export const key_life: Make<RunData> = (run, store) => {
  const by_id = new Map(run.operations.map((op) => [op.id, op]));
  const keys = [
    ...new Set([...run.stores.map((st) => st.key), ...run.operations.map((op) => op.key)]),
  ];
  const stale_keys = new Set(run.operations.filter((op) => op.stale).map((op) => op.key));

  let shown = '';
  let operations: Operation[] = [];
  let clients: {
    name: string;
    operations: Operation[];
    lane: Map<string, number>;
    lanes: number;
    y: number;
  }[] = [];
  let writes: string[] = [];
  let replicas: { node: string; held: Held[] }[] = [];
  let axis: Axis = linear;
  let axis_of = '';
  let replicas_y = 0;

  function choose(key: string): void {
    if (key === shown) return;
    shown = key;
    operations = run.operations
      .filter((op) => op.key === key)
      .sort((a, b) => a.invoked - b.invoked);
    replicas =
      run.stores.find((st) => st.key === key)?.replicas ??
      run.nodes.map((n) => ({ node: n.name, held: [] }));
    writes = operations.filter((op) => !op.kind.includes('read')).map((op) => op.id);
    for (const held of replicas.flatMap((r) => r.held))
      if (held.origin && !writes.includes(held.origin)) writes.push(held.origin);
    let y = TOP + 12;
    clients = [...new Set(operations.map((op) => op.client))].map((name) => {
      const mine = operations.filter((op) => op.client === name);
      const lane = lanes(mine, run.virtual_ns);
      const rows = Math.max(...lane.values()) + 1;
      const client = { name, operations: mine, lane, lanes: rows, y };
      y += rows * OPERATION + 6;
      return client;
    });
    replicas_y = y + GAP;
    axis_of = '';
  }

  function follow_axis(): void {
    const { axis: mode } = store.state;
    if (axis_of === `${mode} ${shown}`) return;
    axis_of = `${mode} ${shown}`;
    const times = operations.flatMap((op) => [op.invoked, op.returned ?? run.virtual_ns]);
    for (const held of replicas.flatMap((r) => r.held)) times.push(held.from, held.to);
    for (const node of run.nodes)
      node.spans.forEach((span, i) => {
        if (i > 0 && span.state !== node.spans[i - 1].state) times.push(span.from);
      });
    const lengths = operations.flatMap((op) =>
      op.returned === null ? [] : [op.returned - op.invoked],
    );
    axis = make_axis(mode, times, 0, run.virtual_ns, median(lengths) || 1e6);
  }

  const origin_hue = (origin: string): string => hue(writes.indexOf(origin));
  const place = (op: Operation, scale: Scale): { x: number; end: number; y: number } => {
    const client = clients.find((c) => c.name === op.client)!;
    const x = scale.x(op.invoked);
    return {
      x,
      end: Math.max(x + 7, scale.x(op.returned ?? run.virtual_ns)),
      y: client.y + client.lane.get(op.id)! * OPERATION,
    };
  };

  function draw_operation(svg: SVGSVGElement, scale: Scale, op: Operation, boxes: Boxes): void {
    const { x, end, y } = place(op, scale);
    if (end < scale.left || x > scale.right) return;
    const read = op.kind.includes('read');
    const saw = op.observed.at(-1);
    const fill = op.stale
      ? colour('bad')
      : read
        ? saw
          ? origin_hue(saw)
          : colour('muted')
        : origin_hue(op.id);
    const text = read
      ? `${op.kind.replace('-', ' ')}: ${op.value ?? op.result.replace('-', ' ')}`
      : `${op.kind} ${op.value ?? ''}`;
    const says = `${op.client} ${op.kind} of ${op.key} (${op.id}), ${moment(op.invoked)} to ${op.returned === null ? 'never' : moment(op.returned)}: ${op.result}${op.via ? ` by ${op.via}` : ''}`;
    const from = Math.max(x, scale.left);
    const until = Math.min(end, scale.right);
    const group = s(
      'g',
      { class: 'operation', 'data-hit': op.id, tabindex: 0, role: 'button', 'aria-label': says },
      s('title', {}, says),
      s('rect', {
        x: from - 4,
        y: y - 2,
        width: until - from + 8,
        height: OPERATION - 4,
        fill: 'transparent',
      }),
      s('rect', {
        class: 'bar',
        x: from,
        y: y + 2,
        width: until - from,
        height: OPERATION - 12,
        rx: 2,
        fill: read ? 'none' : fill,
        stroke: fill,
        'stroke-width': read ? 2 : 0,
        'stroke-dasharray': op.returned === null ? '4 3' : null,
      }),
    );
    // Beside the bar where there is room, else before it, else nowhere: it has a title.
    const width = text.length * 6.6;
    const room = (left: number): boolean =>
      left > scale.left - 2 &&
      left + width < scale.right + 12 &&
      boxes.take(left, y, left + width, y + 20);
    const after = room(until + 7);
    if (after || room(from - 7 - width))
      group.append(
        s(
          'text',
          {
            x: after ? until + 7 : from - 7,
            y: y + 15,
            'text-anchor': after ? 'start' : 'end',
            class: op.stale ? 'bad' : null,
          },
          text,
        ),
      );
    group.addEventListener('click', () => store.set({ cursor: op.returned ?? op.invoked }));
    svg.append(group);
  }

  function draw_replica(
    ctx: CanvasRenderingContext2D,
    scale: Scale,
    replica: (typeof replicas)[0],
    y: number,
  ): void {
    const height = REPLICA - 14;
    const clip = (t: number): number => Math.max(scale.left, Math.min(scale.right, scale.x(t)));
    ctx.strokeStyle = colour('grid');
    ctx.strokeRect(scale.left + 0.5, y + 0.5, scale.right - scale.left - 1, height - 1);
    const life = run.nodes.find((n) => n.name === replica.node);
    for (const held of replica.held) {
      const [x, end] = [clip(held.from), clip(held.to)];
      if (end <= x || held.origin === null) continue;
      const durable = held.durable_from === null ? end : Math.min(end, clip(held.durable_from));
      ctx.fillStyle = origin_hue(held.origin);
      ctx.globalAlpha = 0.35;
      ctx.fillRect(x, y, durable - x, height);
      ctx.globalAlpha = held.deleted ? 0.4 : 0.85;
      ctx.fillRect(durable, y, end - durable, height);
      ctx.globalAlpha = 1;
      ctx.fillStyle = held.deleted ? colour('ink') : colour('on-hue');
      ctx.font = font(12);
      if (end - x > 40)
        fit_text(
          ctx,
          `${held.deleted ? 'tombstone of ' : ''}${held.origin}${held.cause === 'repair' ? ', by repair' : ''}`,
          x + 8,
          y + height / 2 + 0.5,
          end - x - 14,
        );
    }
    let down_from = -1;
    for (const span of [...(life?.spans ?? []), null]) {
      const down = span && (span.state === 'dead' || span.state === 'offline');
      if (down && down_from < 0) down_from = span.from;
      if (!down && down_from >= 0) {
        const [x, end] = [clip(down_from), clip(span?.from ?? run.virtual_ns)];
        ctx.globalAlpha = replica.held.length ? 0.7 : 1;
        hatch(ctx, x, y, end - x, height);
        ctx.globalAlpha = 1;
        ctx.font = font(12);
        ctx.fillStyle = colour('muted');
        if (end - x > 44) fit_text(ctx, 'down', x + 8, y + height / 2 + 0.5, end - x - 12);
        down_from = -1;
      }
    }
    if (replica.held.length === 0) {
      ctx.font = font(12);
      ctx.textAlign = 'left';
      const down = life?.spans.find((span) => span.state === 'dead' || span.state === 'offline');
      const until = down ? clip(down.from) : scale.right;
      ctx.fillStyle = colour('muted');
      const text = 'holds nothing';
      if (until - scale.left > 90) ctx.fillText(text, scale.left + 8, y + height / 2 + 0.5);
      const back = clip(life?.spans.at(-1)?.from ?? 0);
      if (!down || back <= clip(down.from)) return;
      ctx.fillStyle = colour('bad');
      fit_text(ctx, text, back + 8, y + height / 2 + 0.5, scale.right - back - 10);
    }
  }

  // From the read, over what it should have seen, to the write.
  function draw_missed(svg: SVGSVGElement, scale: Scale, op: Operation): void {
    const write = op.missed ? by_id.get(op.missed) : undefined;
    if (!write || write.key !== shown) return;
    const a = place(op, scale);
    const b = place(write, scale);
    if (a.x < scale.left || a.x > scale.right || b.x > scale.right || b.end < scale.left) return;
    const [x0, x1] = [a.x, Math.max(scale.left, b.end)];
    const y0 = a.y + OPERATION - 8;
    const y1 = b.y + OPERATION - 6;
    const dip = Math.max(y0, y1) + 26;
    // Kept inside the plot: the name is some 190 pixels wide.
    const mid = Math.max(scale.left + 95, Math.min(scale.right - 85, (x0 + x1) / 2));
    svg.append(
      s('path', {
        class: 'missed',
        'data-missed': write.id,
        d: `M${x0} ${y0}C${x0 - 12} ${dip},${x1 + 40} ${dip},${x1 + 1} ${y1 + 2}`,
        'marker-end': 'url(#missed-head)',
      }),
      s(
        'text',
        { class: 'missed-label', x: mid, y: dip + 4, 'text-anchor': 'middle' },
        'should have seen this write',
      ),
    );
  }

  const timeline = new Timeline({
    store,
    labels: run.labels,
    end: run.virtual_ns,
    name: 'what clients did with the key, and what each replica held of it',
    axis: () => axis,
    height: () => replicas_y + REPLICA * replicas.length + 6,
    gutter: (width) => (width < 600 ? 62 : 92),
    draw(ctx, svg, scale) {
      svg.append(
        s(
          'defs',
          {},
          s(
            'marker',
            {
              id: 'missed-head',
              viewBox: '0 0 8 8',
              refX: 6,
              refY: 4,
              markerWidth: 7,
              markerHeight: 7,
              orient: 'auto',
            },
            s('path', { d: 'M0 0L8 4L0 8z', class: 'missed-head' }),
          ),
        ),
      );
      let left_out = 0;
      for (const client of clients) {
        row_name(ctx, client.name, client.y + OPERATION / 2 - 3, scale.left - 6);
        const seen = client.operations.filter(
          (op) => op.invoked <= scale.to && (op.returned ?? run.virtual_ns) >= scale.from,
        );
        // Elements for some hundred; a key with more is drawn closer first.
        const few = seen.slice(0, 600).sort((a, b) => Number(b.stale) - Number(a.stale));
        const boxes = new Boxes();
        for (const op of few) {
          const { x, end, y } = place(op, scale);
          boxes.block(x - 2, y, end + 2, y + 20);
        }
        for (const op of few) draw_operation(svg, scale, op, boxes);
        if (seen.length > few.length) left_out += seen.length - few.length;
      }
      hidden.textContent = left_out
        ? `${count(left_out)} operations in view are not drawn: zoom in to see each.`
        : '';
      replicas.forEach((replica, i) => {
        row_name(ctx, replica.node, replicas_y + i * REPLICA + (REPLICA - 14) / 2, scale.left - 6);
        draw_replica(ctx, scale, replica, replicas_y + i * REPLICA);
      });
      for (const op of operations) if (op.stale) draw_missed(svg, scale, op);
    },
    hover(x, y, scale) {
      const replica = replicas[Math.floor((y - replicas_y) / REPLICA)];
      if (!replica || x < scale.left || y < replicas_y) return null;
      const at = scale.t(x);
      const held = replica.held.find((v) => v.from <= at && at < v.to);
      if (!held?.origin) return `${replica.node} at ${moment(at)}: holds nothing of ${shown}`;
      const durable =
        held.durable_from === null
          ? 'never durable'
          : `durable after ${duration(held.durable_from - held.from)}`;
      return `${replica.node} at ${moment(at)}: ${held.deleted ? 'a tombstone of ' : ''}${held.origin}, since ${moment(held.from)}, by ${held.cause}, ${durable}`;
    },
  });

  const pick = h('input', {
    type: 'search',
    list: 'all-keys',
    'aria-label': 'key',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const options = h(
    'datalist',
    { id: 'all-keys' },
    ...keys
      .slice(0, 2000)
      .map((key) => h('option', { value: key }, stale_keys.has(key) ? 'was read stale' : '')),
  );
  pick.addEventListener('change', () => {
    if (keys.includes(pick.value)) store.set({ key: pick.value, from: null, to: null }, true);
  });
  const messages = h('button', { type: 'button', class: 'quiet' }, 'messages about it →');
  messages.addEventListener('click', () =>
    store.set(
      { view: 'spacetime', key: shown, scope: 'all', axis: 'fold', from: null, to: null },
      true,
    ),
  );
  const title = h('span', { class: 'note' });
  const says = h('div', { class: 'says' });
  const hidden = h('p', { class: 'note', role: 'status' });
  const rows = h('div');

  const element = h(
    'section',
    { class: 'view', 'aria-label': 'one key' },
    h('div', { class: 'bar' }, h('label', {}, 'key ', pick), options, title, messages),
    timeline.element,
    hidden,
    says,
    h('h2', {}, 'Operations'),
    rows,
    run.hidden.operations
      ? h(
          'p',
          { class: 'note' },
          `${count(run.hidden.operations)} operations, mostly on other keys, are not in this page, to keep it small.`,
        )
      : null,
  );

  return {
    id: 'key',
    title: 'One key',
    element,
    timeline,
    moments: () => operations.flatMap((op) => [op.invoked, op.returned ?? op.invoked]),
    update() {
      const before = shown;
      choose(store.state.key ?? keys[0] ?? '');
      follow_axis();
      if (before !== shown) {
        pick.value = shown;
        const partition = run.stores.find((st) => st.key === shown)?.partition;
        title.textContent = [partition, plural(operations.length, 'operation')]
          .filter(Boolean)
          .join(', ');
        says.replaceChildren(
          ...operations
            .filter((op) => op.stale)
            .slice(0, 5)
            .map((op) =>
              h('p', { class: 'finding' }, h('b', {}, `${op.id} was stale. `), op.why ?? ''),
            ),
        );
        rows.replaceChildren(
          h(
            'div',
            { class: 'table', tabindex: 0, role: 'region', 'aria-label': `operations on ${shown}` },
            h(
              'table',
              {},
              h(
                'thead',
                {},
                h(
                  'tr',
                  {},
                  ...[
                    'operation',
                    'what',
                    'invoked',
                    'took',
                    'by',
                    'level',
                    'result',
                    'missed',
                  ].map((t) => h('th', { scope: 'col' }, t)),
                ),
              ),
              h(
                'tbody',
                {},
                ...operations
                  .slice(0, 500)
                  .map((op) =>
                    h(
                      'tr',
                      { class: op.stale ? 'bad' : null },
                      h('th', { scope: 'row' }, op.id),
                      ...[
                        op.kind.replace('-', ' '),
                        moment(op.invoked),
                        op.returned === null ? 'no answer' : duration(op.returned - op.invoked),
                        op.via ?? '',
                        op.level,
                        op.result.replace('-', ' '),
                        op.missed ?? '',
                      ].map((t) => h('td', {}, t)),
                    ),
                  ),
              ),
            ),
          ),
          operations.length > 500
            ? h(
                'p',
                { class: 'note' },
                `${operations.length - 500} more operations are not listed.`,
              )
            : '',
        );
      }
      timeline.draw();
    },
  };
};
