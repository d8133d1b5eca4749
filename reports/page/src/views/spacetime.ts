// The space-time diagram: a band a host with a lane a protocol; messages, what was lost, faults,
// crashes, terms and leaders. It opens with the causal past of what went wrong, and a ghost of the
// message that was never sent.

import type { RunData } from '../data';
import type { Make } from '../view';
import { median } from 'd3-array';
import { linear, make_axis, within, type Axis } from '../axis';
import { Boxes } from '../boxes';
import { axis_control, segmented, zoom_control } from '../controls';
import { h } from '../dom';
import { count, plural } from '../format';
import { arrow_head, fit_text, hatch, row_name } from '../paint';
import { grave, short_name, weight } from '../facts';
import { message_details, message_line } from './message_details';
import { message_table } from './message_table';
import { choose, filters, type Shown } from '../shown';
import { colour } from '../theme';
import { Timeline, TOP, font, type Scale } from '../timeline';

const FACTS = 20;
const GAP = 16;
const MANY = 2500; // messages in view above which only densities are drawn
const NAMED = 40; // ... below which they are named

export const spacetime: Make<RunData> = (run, store) => {
  const m = run.messages;
  const f = run.facts;
  const tints = ['proto-0', 'proto-1', 'proto-2', 'proto-3'];
  const tint = (purpose: number): string => colour(tints[purpose % tints.length]);
  let shown: Shown = choose(run, store.state);
  let shown_for = '';
  let axis: Axis = linear;
  let axis_for = '';

  // Few protocols get more room each, so that arrows between hosts are seen to lean.
  const lane = (): number => [44, 44, 28, 21, 17][Math.min(4, shown.purposes.length)];
  const band = (): number => FACTS + lane() * Math.max(1, shown.purposes.length) + GAP;
  const top = (host: number): number => TOP + 8 + host * band();
  const lane_y = (host: number, purpose: number): number =>
    top(host) + FACTS + lane() * (Math.max(0, shown.purposes.indexOf(purpose)) + 0.5);
  const hosts_end = (): number => top(run.hosts.length) - GAP + 2;
  const end_of = (i: number): number => m.arrived[i] ?? m.sent[i];

  function line(i: number, scale: Scale): [number, number, number, number] {
    const x0 = scale.x(m.sent[i]);
    const y0 = lane_y(m.from[i], m.purpose[i]);
    const y1 = lane_y(m.to[i], m.purpose[i]);
    const arrived = m.arrived[i];
    // What was lost has no end: it breaks off on its way.
    if (arrived === null) return [x0, y0, x0 + 14, y0 + (y1 - y0) * 0.45];
    return [x0, y0, scale.x(arrived), y1];
  }

  function in_view(scale: Scale): [number, number] {
    return within(shown.sent, scale.from - shown.slowest, scale.to);
  }

  function bands(ctx: CanvasRenderingContext2D, scale: Scale): void {
    run.hosts.forEach((name, host) => {
      const y = top(host);
      const height = band() - GAP;
      ctx.fillStyle = colour('band');
      ctx.fillRect(scale.left, y, scale.right - scale.left, height);
      row_name(ctx, name, y + FACTS / 2, scale.left - 6);
      ctx.font = font(10.5);
      ctx.textAlign = 'left';
      for (const purpose of shown.purposes) {
        const at = lane_y(host, purpose);
        ctx.strokeStyle = colour('lane');
        ctx.beginPath();
        ctx.moveTo(scale.left, at + 0.5);
        ctx.lineTo(scale.right, at + 0.5);
        ctx.stroke();
        ctx.fillStyle = tint(purpose);
        if (scale.left > 70) fit_text(ctx, run.purposes[purpose], 0, at, scale.left - 8);
        else ctx.fillRect(scale.left - 8, at - 3, 4, 6);
      }
      for (const span of run.nodes[host]?.spans ?? []) {
        if (span.to < scale.from || span.from > scale.to) continue;
        const x = Math.max(scale.left, scale.x(span.from));
        const end = Math.min(scale.right, scale.x(span.to));
        if (span.state === 'dead' || span.state === 'offline') hatch(ctx, x, y, end - x, height);
        if (span.leader) {
          ctx.fillStyle = colour('leader');
          ctx.fillRect(x, y, end - x, 2);
        }
      }
    });
  }

  // Facts that fall on each other are one clump, with the name of the one that matters most.
  interface Clump {
    host: number;
    start: number;
    end: number;
    kind: string;
    name: string | null;
  }

  function draw_facts(ctx: CanvasRenderingContext2D, scale: Scale): Clump[] {
    const [low, high] = within(shown.facts_at, scale.from, scale.to);
    const clumps: Clump[] = [];
    const last: (Clump | undefined)[] = run.hosts.map(() => undefined);
    const step = Math.max(1, Math.ceil((high - low) / 4000));
    for (let at = low; at < high; at += step) {
      const i = shown.facts[at];
      const kind = run.fact_kinds[f.kind[i]];
      const x = scale.x(f.at[i]);
      const host = f.host[i];
      if (host < 0) {
        ctx.strokeStyle = colour('bad');
        ctx.globalAlpha = 0.45;
        ctx.strokeRect(Math.round(x) + 0.5, TOP, 0.01, hosts_end() - TOP);
        ctx.globalAlpha = 1;
        continue;
      }
      const name = short_name(kind, run.strings[f.text[i]]);
      ctx.fillStyle = colour(grave(kind) ? 'bad' : name ? 'ink' : 'faint');
      ctx.beginPath();
      ctx.arc(x, top(host) + FACTS / 2 + 1, name ? 3.2 : 1.8, 0, 7);
      ctx.fill();
      const clump = last[host];
      if (clump && x - clump.end < 9) {
        clump.end = x;
        if (name && (!clump.name || weight(kind) < weight(clump.kind)))
          Object.assign(clump, { name, kind });
      } else clumps.push((last[host] = { host, start: x, end: x, kind, name }));
    }
    return clumps;
  }

  // What matters most is named first; a name lies on no dot that has a name itself.
  function name_facts(
    ctx: CanvasRenderingContext2D,
    scale: Scale,
    clumps: Clump[],
    boxes: Boxes,
  ): void {
    const y = (clump: Clump): number => top(clump.host) + FACTS / 2 + 1;
    const named = clumps
      .filter((clump) => clump.name)
      .sort((a, b) => weight(a.kind) - weight(b.kind));
    for (const c of named) boxes.block(c.start - 3, y(c) - 3, c.end + 3, y(c) + 3);
    ctx.font = font(11, 500);
    ctx.textAlign = 'left';
    for (const clump of named.slice(0, 400)) {
      const room = ctx.measureText(clump.name!).width;
      for (const left of [clump.end + 7, clump.start - room - 7]) {
        if (left < scale.left - 2 || left + room > scale.right + 10) continue;
        if (!boxes.take(left - 2, y(clump) - 8, left + room + 2, y(clump) + 8)) continue;
        ctx.fillStyle = colour('band');
        ctx.fillRect(left - 2, y(clump) - 7, room + 4, 14);
        ctx.fillStyle = colour(grave(clump.kind) ? 'bad' : 'ink');
        ctx.fillText(clump.name!, left, y(clump) + 0.5);
        break;
      }
    }
  }

  function densities(ctx: CanvasRenderingContext2D, scale: Scale): number {
    const BIN = 3;
    let drawn = 0;
    const counts: [number, number, number, number][] = [];
    let most = 1;
    for (let host = 0; host < run.hosts.length; ++host)
      for (const purpose of shown.purposes) {
        const times = shown.lanes[host * run.purposes.length + purpose];
        let [before] = within(times, scale.from, scale.from);
        for (let x = scale.left; x < scale.right; x += BIN) {
          const [, after] = within(times, 0, scale.t(x + BIN));
          if (after > before) {
            counts.push([x, lane_y(host, purpose), after - before, purpose]);
            most = Math.max(most, after - before);
          }
          before = after;
        }
      }
    for (const [x, y, n, purpose] of counts) {
      const tall = 3 + (lane() - 6) * (Math.log1p(n) / Math.log1p(most));
      ctx.fillStyle = tint(purpose);
      ctx.globalAlpha = 0.75;
      ctx.fillRect(x, y - tall / 2, BIN - 0.5, tall);
      ++drawn;
    }
    ctx.globalAlpha = 1;
    return drawn;
  }

  function draw_messages(
    ctx: CanvasRenderingContext2D,
    scale: Scale,
    low: number,
    high: number,
  ): number {
    const named = high - low <= NAMED;
    let drawn = 0;
    const selected = selection();
    for (let at = low; at < high; ++at) {
      const i = shown.messages[at];
      if (end_of(i) < scale.from && m.arrived[i] !== null) continue;
      const [x0, y0, x1, y1] = line(i, scale);
      const lost = m.arrived[i] === null;
      const picked = selected === i;
      ctx.strokeStyle = ctx.fillStyle = lost ? colour('bad') : tint(m.purpose[i]);
      ctx.globalAlpha = picked || named ? 1 : high - low > 400 ? 0.35 : 0.7;
      ctx.lineWidth = picked ? 3 : 1.3;
      ctx.beginPath();
      ctx.moveTo(x0, y0);
      ctx.lineTo(x1, y1);
      ctx.stroke();
      if (lost) cross(ctx, x1, y1);
      else if (high - low <= 600) arrow_head(ctx, x0, y0, x1, y1, picked ? 8 : 6);
      ++drawn;
    }
    ctx.globalAlpha = 1;
    ctx.lineWidth = 1;
    return drawn;
  }

  function name_messages(
    ctx: CanvasRenderingContext2D,
    scale: Scale,
    low: number,
    high: number,
    boxes: Boxes,
  ): void {
    const selected = selection();
    ctx.textAlign = 'left';
    for (let at = low; at < high; ++at) {
      const i = shown.messages[at];
      const [x0, y0, x1, y1] = line(i, scale);
      const text = run.kinds[m.kind[i]];
      ctx.font = font(11, selected === i ? 600 : 400);
      const width = ctx.measureText(text).width;
      for (const share of [0.5, 0.3, 0.7, 0.15, 0.85]) {
        const x = x0 + (x1 - x0) * share + 7;
        const y = y0 + (y1 - y0) * share;
        if (x + width > scale.right + 12 || x < scale.left) continue;
        if (!boxes.take(x - 2, y - 8, x + width + 2, y + 8)) continue;
        ctx.globalAlpha = 0.8;
        ctx.fillStyle = colour('band');
        ctx.fillRect(x - 2, y - 7, width + 4, 14);
        ctx.globalAlpha = 1;
        ctx.fillStyle = m.arrived[i] === null ? colour('bad') : tint(m.purpose[i]);
        ctx.fillText(text, x, y + 0.5);
        break;
      }
    }
  }

  function cross(ctx: CanvasRenderingContext2D, x: number, y: number): void {
    ctx.beginPath();
    for (const side of [-1, 1]) {
      ctx.moveTo(x - 4, y - 4 * side);
      ctx.lineTo(x + 4, y + 4 * side);
    }
    ctx.stroke();
  }

  function draw_ghosts(ctx: CanvasRenderingContext2D, scale: Scale, boxes: Boxes): void {
    for (const index of shown.ghosts) {
      const ghost = run.ghosts[index];
      const x = scale.x(ghost.at);
      if (x < scale.left || x > scale.right) continue;
      const purpose = shown.purposes[0] ?? 0;
      const y0 = lane_y(ghost.from, purpose);
      const y1 = lane_y(ghost.to, purpose) - 3;
      const x1 = Math.min(scale.right - 8, x + 30);
      ctx.strokeStyle = ctx.fillStyle = colour('bad');
      ctx.lineWidth = 1.8;
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      ctx.moveTo(x, y0);
      ctx.lineTo(x1, y1);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.beginPath();
      ctx.arc(x1, y1 + 4, 4.5, 0, 7);
      ctx.fillStyle = colour('page');
      ctx.fill();
      ctx.stroke();
      ctx.lineWidth = 1;
      ctx.font = font(11.5, 600);
      const text = 'never sent';
      const width = ctx.measureText(text).width;
      const left = x1 + width + 14 > scale.right ? x1 - width - 12 : x1 + 10;
      ctx.fillStyle = colour('page');
      ctx.fillRect(left - 3, y1 - 5, width + 6, 17);
      ctx.fillStyle = colour('bad');
      ctx.textAlign = 'left';
      ctx.fillText(text, left, y1 + 4);
      boxes.block(left - 3, y1 - 6, left + width + 3, y1 + 14);
    }
  }

  function mark_violations(ctx: CanvasRenderingContext2D, scale: Scale, boxes: Boxes): void {
    const violation = run.violations[0];
    if (!violation) return;
    const x = scale.x(violation.at);
    const host = run.hosts.indexOf(violation.node ?? '');
    if (x < scale.left - 1 || x > scale.right + 1 || host < 0) return;
    const y = top(host) + FACTS / 2 + 1;
    ctx.strokeStyle = ctx.fillStyle = colour('bad');
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.arc(x, y, 5.5, 0, 7);
    ctx.stroke();
    ctx.lineWidth = 1;
    ctx.font = font(11, 600);
    ctx.textAlign = 'right';
    const width = ctx.measureText(violation.invariant).width;
    ctx.fillStyle = colour('band');
    ctx.fillRect(x - width - 14, y - 8, width + 5, 16);
    ctx.fillStyle = colour('bad');
    ctx.fillText(violation.invariant, x - 11, y + 0.5);
    boxes.block(x - width - 14, y - 8, x + 8, y + 8);
    ctx.textAlign = 'left';
  }

  const hidden_note = h('p', { class: 'note', role: 'status' });

  const timeline = new Timeline({
    store,
    labels: run.labels,
    end: run.virtual_ns,
    name: 'messages between hosts over time',
    axis: () => axis,
    height: () => TOP + 8 + run.hosts.length * band(),
    gutter: (width) => (width < 600 ? 62 : 92),
    draw(ctx, _svg, scale) {
      bands(ctx, scale);
      ctx.save();
      ctx.beginPath();
      ctx.rect(scale.left, 0, scale.width - scale.left, scale.height);
      ctx.clip();
      const [low, high] = in_view(scale);
      const dense = high - low > MANY;
      const drawn = dense ? densities(ctx, scale) : draw_messages(ctx, scale, low, high);
      const boxes = new Boxes();
      const clumps = draw_facts(ctx, scale);
      mark_violations(ctx, scale, boxes);
      draw_ghosts(ctx, scale, boxes);
      name_facts(ctx, scale, clumps, boxes);
      if (high - low <= NAMED) name_messages(ctx, scale, low, high, boxes);
      ctx.restore();
      timeline.canvas.dataset.drawn = String(drawn);
      timeline.canvas.dataset.level = dense ? 'density' : 'messages';
      tell(dense, high - low);
    },
    click(x, y, scale) {
      store.set({ pick: nearest(x, y, scale) });
    },
    hover(x, y, scale) {
      const found = nearest(x, y, scale);
      if (!found) return null;
      const i = Number(found.slice(1));
      if (found[0] === 'f') return run.strings[f.text[i]].slice(0, 160);
      if (found[0] === 'g') return run.ghosts[i].says;
      return message_line(run, i);
    },
  });

  function nearest(x: number, y: number, scale: Scale): string | null {
    let best = 7;
    let found: string | null = null;
    const take = (distance: number, name: string): void => {
      if (distance < best) [best, found] = [distance, name];
    };
    const [from, to] = within(shown.facts_at, scale.t(x - 8), scale.t(x + 8));
    for (let at = from; at < to; ++at) {
      const i = shown.facts[at];
      const host = f.host[i];
      take(
        host < 0
          ? Math.abs(scale.x(f.at[i]) - x) + 3
          : Math.hypot(scale.x(f.at[i]) - x, top(host) + FACTS / 2 - y) - 2,
        `f${i}`,
      );
    }
    for (const index of shown.ghosts) {
      const ghost = run.ghosts[index];
      const purpose = shown.purposes[0] ?? 0;
      const at = scale.x(ghost.at);
      take(
        to_segment(x, y, at, lane_y(ghost.from, purpose), at + 30, lane_y(ghost.to, purpose)) - 2,
        `g${index}`,
      );
    }
    const [low, high] = in_view(scale);
    if (high - low <= MANY)
      for (let at = low; at < high; ++at)
        take(to_segment(x, y, ...line(shown.messages[at], scale)), `m${shown.messages[at]}`);
    return found;
  }

  function tell(dense: boolean, visible: number): void {
    const parts = dense
      ? [`${count(visible)} messages in view, drawn as densities: zoom in to see each.`]
      : [`${plural(visible, 'message')} in view.`];
    if (shown.left_out) parts.push(`${count(shown.left_out)} left out by what is chosen above.`);
    if (run.hidden.messages || run.hidden.facts)
      parts.push(
        `${count(run.hidden.messages)} messages and ${count(run.hidden.facts)} facts are not in this page, to keep it small.`,
      );
    if (shown.ghosts.length === 0 && run.ghosts.length)
      parts.push(
        `${plural(run.ghosts.length, 'message')} never sent: choose a key to see its own.`,
      );
    if (run.hidden.ghosts)
      parts.push(`${count(run.hidden.ghosts)} more that were never sent are not in this page.`);
    const text = parts.join(' ');
    if (hidden_note.textContent !== text) hidden_note.textContent = text;
  }

  // Controls.
  const scope = segmented<'past' | 'all'>(
    'show',
    [
      [
        'past',
        'causal past',
        'only what could have had an influence on the violation, or on the event that is chosen',
      ],
      ['all', 'everything', 'all messages'],
    ],
    (state) => (run.violations.length || state.event !== null ? state.scope : 'all'),
    (value) => store.set({ scope: value }, true),
    store,
  );
  const axes = axis_control(store);
  const chips = run.purposes.map((purpose, i) => {
    const chip = h(
      'button',
      { type: 'button', class: 'chip', 'data-purpose': purpose },
      h('i', { style: `background:var(--${tints[i % tints.length]})` }),
      purpose,
    );
    chip.addEventListener('click', () => {
      const { off } = store.state;
      store.set(
        { off: off.includes(purpose) ? off.filter((p) => p !== purpose) : [...off, purpose] },
        true,
      );
    });
    return chip;
  });
  const key = h('input', {
    type: 'search',
    list: 'message-keys',
    placeholder: 'any key',
    'aria-label': 'key',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  key.addEventListener('change', () =>
    store.set({ key: run.keys.includes(key.value) ? key.value : null }, true),
  );
  const node = h(
    'select',
    { 'aria-label': 'host' },
    h('option', { value: '' }, 'any host'),
    ...run.hosts.map((name) => h('option', { value: name }, name)),
  );
  node.addEventListener('change', () => store.set({ node: node.value || null }, true));

  const details = message_details(run, store);
  const rows = message_table(run, store);

  const selection = (): number => {
    const { pick } = store.state;
    return pick?.startsWith('m') ? Number(pick.slice(1)) : -1;
  };

  const element = h(
    'section',
    { class: 'view', 'aria-label': 'messages' },
    h('div', { class: 'bar' }, scope.element, axes.element, zoom_control(timeline, store)),
    h(
      'div',
      { class: 'bar' },
      h('div', { class: 'chips', role: 'group', 'aria-label': 'protocols' }, ...chips),
      key,
      h(
        'datalist',
        { id: 'message-keys' },
        ...run.keys.slice(0, 2000).map((k) => h('option', { value: k })),
      ),
      node,
    ),
    h(
      'div',
      { class: 'split' },
      h('div', { class: 'wide' }, timeline.element, hidden_note, rows.element),
      details.element,
    ),
  );

  return {
    id: 'spacetime',
    title: 'Messages',
    element,
    timeline,
    moments: () => Array.from(shown.sent.subarray(0, 20000)),
    update() {
      const { state } = store;
      const now = filters(state);
      if (now !== shown_for) {
        shown = choose(run, state);
        shown_for = now;
        axis_for = '';
      }
      if (axis_for !== state.axis) {
        axis_for = state.axis;
        const times = Array.from(shown.messages, (i) => m.sent[i]);
        const flights: number[] = [];
        for (const i of shown.messages) {
          const arrived = m.arrived[i];
          if (arrived === null) continue;
          times.push(arrived);
          flights.push(arrived - m.sent[i]);
        }
        for (const i of shown.facts)
          if (short_name(run.fact_kinds[f.kind[i]], run.strings[f.text[i]])) times.push(f.at[i]);
        for (const i of shown.ghosts) times.push(run.ghosts[i].at);
        axis = make_axis(state.axis, times, 0, run.virtual_ns, median(flights) || 1e6);
      }
      scope.update();
      axes.update();
      for (const chip of chips)
        chip.setAttribute('aria-pressed', String(!state.off.includes(chip.dataset.purpose!)));
      if (document.activeElement !== key) key.value = state.key ?? '';
      node.value = state.node ?? '';
      details.update();
      rows.update(shown);
      timeline.draw();
    },
  };
};

function to_segment(x: number, y: number, x0: number, y0: number, x1: number, y1: number): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const share = Math.max(
    0,
    Math.min(1, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)),
  );
  return Math.hypot(x0 + share * dx - x, y0 + share * dy - y);
}
