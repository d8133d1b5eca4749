// What a run broke and what it cost: violations with their evidence, all metrics, and how to see it again.

import type { RunData } from '../data';
import type { Make } from '../view';
import { command, h } from '../dom';
import { count, metric, moment } from '../format';

const GROUPS: [string, RegExp][] = [
  ['Staleness', /stale|missing|resurrect|lost|phantom|converged|min_copies|conflicts/],
  ['Operations', /operation|latency|unavailable|acknowledged/],
  ['Repair', /repair|hint|hook|tombstone/],
  ['Messages', /message|bytes|elections|members|maps|rebalance/],
];

export const numbers: Make<RunData> = (run, store) => {
  const left = new Set(Object.keys(run.metrics));
  const group = (title: string, names: string[]): HTMLElement =>
    h(
      'div',
      { class: 'metrics' },
      h('h3', {}, title),
      h(
        'dl',
        {},
        ...names.flatMap((name) => [
          h('dt', { title: name }, run.metric_words[name]),
          h('dd', { class: run.metrics[name] ? null : 'zero' }, metric(name, run.metrics[name])),
        ]),
      ),
    );
  const groups = GROUPS.map(([title, pattern]) => {
    const names = [...left].filter((name) => pattern.test(name));
    names.forEach((name) => left.delete(name));
    return names.length ? group(title, names) : null;
  });
  if (left.size) groups.push(group('Other', [...left]));

  const violations = run.violations.map((v) => {
    const go = h('button', { type: 'button', class: 'quiet' }, 'what led to it →');
    go.addEventListener('click', () =>
      store.set(
        {
          view: 'spacetime',
          scope: 'past',
          event: v.event,
          key: v.key,
          cursor: v.at,
          from: null,
          to: null,
        },
        true,
      ),
    );
    return h(
      'article',
      { class: 'violation' },
      h(
        'h3',
        {},
        v.invariant,
        ' ',
        h(
          'span',
          { class: v.expected ? 'tag' : 'tag bad' },
          v.expected ? 'expected' : 'not expected',
        ),
      ),
      h(
        'p',
        { class: 'sub' },
        `${moment(v.at)}, event ${count(v.event)}${v.node ? `, ${v.node}` : ''}${v.key ? `, ${v.key}` : ''}`,
      ),
      h('p', {}, v.says),
      h(
        'details',
        {},
        h('summary', {}, `evidence (${v.evidence.length})`),
        h('ul', {}, ...v.evidence.map((e) => h('li', {}, e))),
      ),
      go,
    );
  });

  return {
    id: 'numbers',
    title: 'Numbers',
    element: h(
      'section',
      { class: 'view', 'aria-label': 'numbers' },
      h('p', { class: 'about' }, run.about),
      h('p', {}, command(run.command)),
      h(
        'h2',
        {},
        run.violations.length
          ? `Invariants that broke: ${run.violations.length}`
          : 'No invariant broke',
      ),
      ...violations,
      run.hidden.violations
        ? h('p', { class: 'note' }, `${count(run.hidden.violations)} more are not in this page.`)
        : null,
      h('h2', {}, 'Metrics'),
      h('div', { class: 'metric-groups' }, ...groups),
    ),
    update() {},
  };
};
