// The page: reads its data, makes the views that its kind has, and keeps them in step with the state.

import { load, type PageData, type RunData } from './data';
import type { View } from './view';
import { axis_control, zoom_control } from './controls';
import { command, h } from './dom';
import { count, moment, plural } from './format';
import { help_sheet, listen } from './keyboard';
import { search } from './search';
import { Store, initial, type State } from './state';
import { on_theme, toggle_theme } from './theme';
import { campaign } from './views/campaign';
import { key_life } from './views/key';
import { decision_map } from './views/map';
import { numbers } from './views/numbers';
import { spacetime } from './views/spacetime';
import { strip } from './views/strip';

function first_state(data: PageData): State {
  if (data.kind !== 'run')
    return { ...initial, view: data.kind === 'comparison' ? 'map' : 'campaign' };
  const stale = data.operations.find((op) => op.stale);
  const key = stale?.key ?? data.violations.find((v) => v.key)?.key ?? null;
  return {
    ...initial,
    view: 'strip',
    key,
    scope: data.violations.length ? 'past' : 'all',
    axis: data.violations.length ? 'fold' : 'time',
  };
}

function make_views(data: PageData, store: Store): View[] {
  switch (data.kind) {
    case 'run': {
      const views = [
        strip(data, store),
        key_life(data, store),
        spacetime(data, store),
        numbers(data, store),
      ];
      // The first two have room for the controls that the third has among its filters.
      views[0].element.prepend(
        h(
          'div',
          { class: 'bar head' },
          h('p', { class: 'about' }, data.about),
          zoom_control(views[0].timeline!, store),
        ),
      );
      const axis = axis_control(store);
      views[1].element
        .querySelector('.bar')!
        .append(
          h('span', { class: 'push' }),
          axis.element,
          zoom_control(views[1].timeline!, store),
        );
      const { update } = views[1];
      views[1].update = () => {
        axis.update();
        update();
      };
      return views;
    }
    case 'comparison':
      return [decision_map(data, store)];
    case 'campaign':
      return [campaign(data, store)];
  }
}

function headline(data: PageData): HTMLElement {
  if (data.kind === 'run')
    return h(
      'div',
      { class: 'headline' },
      h('span', { class: `verdict ${data.verdict}` }, data.verdict),
      h('h1', {}, data.scenario),
      h('p', {}, data.says),
    );
  const says =
    data.kind === 'comparison'
      ? `${plural(data.strategies.length, 'strategy', 'strategies')}, ${plural(data.seeds, 'seed')}${data.vary.length ? `, ${data.vary.map((v) => `${v.path} = ${v.values.join(', ')}`).join('; ')}` : ''}`
      : `${count(data.failed)} of ${plural(data.seeds, 'seed')} failed; sync ${data.sync}`;
  return h(
    'div',
    { class: 'headline' },
    h('span', { class: 'verdict' }, data.kind),
    h('h1', {}, data.scenario),
    h('p', {}, says),
  );
}

function run_facts(run: RunData): HTMLElement {
  return h(
    'footer',
    {},
    h(
      'p',
      {},
      `${plural(run.nodeCount, 'node')}, ${plural(run.partitions, 'partition')}, ${plural(run.replication, 'copy', 'copies')}; sync ${run.sync}, versions ${run.versions}; ${moment(run.virtual_ns)} of virtual time.`,
    ),
    h('p', {}, `seed ${run.seed}, digest ${run.digest}, rejoin ${run.rejoin}`),
    h('p', {}, command(run.command)),
  );
}

function start(): void {
  const page = document.getElementById('page')!;
  const data = load();
  const store = new Store(first_state(data));
  const views = make_views(data, store);
  const current = (): View => views.find((view) => view.id === store.state.view) ?? views[0];
  const finder = search(data, store);
  const sheet = help_sheet();
  const button = (text: string, label: string, run: () => void): HTMLElement => {
    const element = h(
      'button',
      { type: 'button', class: 'icon', 'aria-label': label, title: label },
      text,
    );
    element.addEventListener('click', run);
    return element;
  };
  const tabs = views.map((view, i) => {
    const tab = h(
      'button',
      { type: 'button', 'data-view': view.id },
      view.title,
      h('kbd', { 'aria-hidden': 'true' }, String(i + 1)),
    );
    tab.addEventListener('click', () => store.set({ view: view.id }, true));
    return tab;
  });
  const main = h('main', { id: 'view' });
  page.replaceChildren(
    h(
      'header',
      {},
      headline(data),
      h(
        'div',
        { class: 'tools' },
        data.kind === 'campaign' ? null : finder.element,
        button('◐', 'light or dark (d)', toggle_theme),
        button('?', 'keys (?)', () => sheet.showModal()),
      ),
    ),
    ...(views.length > 1 ? [h('nav', { 'aria-label': 'views' }, ...tabs)] : []),
    main,
    data.kind === 'run'
      ? run_facts(data)
      : h('footer', {}, h('p', {}, `${data.file}, rejoin ${data.rejoin}`)),
    sheet,
  );

  const update = (): void => {
    const view = current();
    if (main.firstChild !== view.element) main.replaceChildren(view.element);
    for (const tab of tabs) {
      if (tab.dataset.view === view.id) tab.setAttribute('aria-current', 'page');
      else tab.removeAttribute('aria-current');
    }
    view.update();
  };
  store.listen(update);
  on_theme(update);
  listen({
    store,
    views,
    end: data.kind === 'run' ? data.virtual_ns : 0,
    current,
    search: () => finder.focus(),
    theme: toggle_theme,
    help: sheet,
  });
  update();
}

try {
  start();
} catch (error) {
  const page = document.getElementById('page');
  if (page)
    page.textContent = `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
}
