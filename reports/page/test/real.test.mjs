// Pages as the program writes them (REJOIN names it): the same document that the fixtures stand for.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, before, test } from 'node:test';
import { launch, open, settle } from './page.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = process.env.REJOIN ? resolve(process.env.REJOIN) : null;
const skip = program ? false : 'REJOIN names no program';
const folder = mkdtempSync(join(tmpdir(), 'rejoin-real-'));
let browser;
let url;
let data;

/** Writes the page of a run; its address and its data. */
function run(name, ...words) {
  const file = join(folder, `${name}.html`);
  const done = spawnSync(program, ['run', ...words, '--out', `html=${file}`], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(done.status, 0, done.stderr);
  const html = readFileSync(file, 'utf8');
  const json = /id="rejoin-data">(.*?)<\/script>/s.exec(html)[1];
  return { url: pathToFileURL(file).href, data: JSON.parse(json) };
}

before(async () => {
  if (!program) return;
  browser = await launch();
  ({ url, data } = run('t0-t5', 'scenarios/seed/t0-t5.yaml'));
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

test(
  'the page of T0 to T5 opens from a file, asks for nothing, logs no error',
  { skip },
  async () => {
    const { page, seen, close } = await open(browser, url);
    for (const id of ['key', 'spacetime', 'numbers', 'strip']) {
      await page.click(`nav [data-view=${id}]`);
      await settle(page);
    }
    assert.deepEqual(seen.errors, []);
    assert.equal(seen.requests.filter((r) => !r.startsWith('data:')).length, 1);
    assert.deepEqual(await page.locator('table tbody th').allTextContents(), [
      'T0',
      'T1',
      'T2',
      'T3',
      'T4',
      'T5',
    ]);
    assert.match(await page.locator('table tbody tr').nth(5).textContent(), /100 keys, 50 missing/);
    await close();
  },
);

test(
  'its stale read leads to the write that was missed, and to what was never sent',
  { skip },
  async () => {
    const { page, seen, close } = await open(browser, url);
    await page.locator('.stale-read').click();
    await settle(page);
    assert.equal(await page.locator('nav [aria-current]').getAttribute('data-view'), 'key');
    assert.equal(await page.locator('.missed').getAttribute('data-missed'), 'client-1/125');
    await page.click('nav [data-view=spacetime]');
    await settle(page);
    const canvas = page.locator('canvas').first();
    assert.equal(await canvas.getAttribute('data-level'), 'messages');
    const key = data.keys.indexOf('key-125');
    assert.ok(data.ghosts.some((g) => g.key === key && data.hosts[g.to] === 'node-3'));
    assert.deepEqual(seen.errors, []);
    await close();
  },
);

test('filters and deep links work on it', { skip }, async () => {
  const { page, close } = await open(browser, `${url}#view=spacetime&scope=all`);
  const note = page.locator('.wide > .note');
  await page.locator('[aria-label=show] [data-value=all]').click();
  await page.fill('.bar input[aria-label=key]', '');
  await page.locator('.bar input[aria-label=key]').blur();
  await settle(page);
  const shown = async () =>
    Number(/^([\d,]+) messages? in view/.exec(await note.textContent())[1].replaceAll(',', ''));
  assert.equal(await shown(), data.messages.sent.length);
  await page.click('[data-purpose=consensus]');
  await settle(page);
  const consensus = data.purposes.indexOf('consensus');
  const left = data.messages.purpose.filter((p) => p !== consensus).length;
  assert.equal(await shown(), left);
  await page.waitForFunction(() => location.hash.includes('consensus'));
  const link = page.url();
  await close();
  const again = await open(browser, link);
  assert.equal(
    await again.page.locator('[data-purpose=consensus]').getAttribute('aria-pressed'),
    'false',
  );
  await again.close();
});

test('its columns are as long as each other, and every index is in its list', { skip }, () => {
  for (const [rows, lists] of [
    [
      data.messages,
      {
        from: 'hosts',
        to: 'hosts',
        kind: 'kinds',
        purpose: 'purposes',
        fate: 'fates',
        key: 'keys',
        text: 'strings',
      },
    ],
    [data.facts, { host: 'hosts', kind: 'fact_kinds', key: 'keys', text: 'strings' }],
  ]) {
    const lengths = new Set(Object.values(rows).map((column) => column.length));
    assert.equal(lengths.size, 1);
    for (const [column, list] of Object.entries(lists))
      assert.ok(
        rows[column].every((i) => i >= -1 && i < data[list].length),
        column,
      );
  }
  for (const node of data.nodes)
    node.spans.forEach((span, i) => i && assert.equal(span.from, node.spans[i - 1].to));
});

test('a page of a mechanism that repairs opens, too, on a phone', { skip }, async () => {
  const { url: repaired, data: its } = run(
    'repaired',
    'scenarios/seed/t0-t5.yaml',
    '--sync',
    'rejoin-sync',
    '--no-expect',
  );
  assert.deepEqual(its.ghosts, []);
  assert.ok(
    its.stores.some((s) => s.replicas.some((r) => r.held.some((h) => h.cause === 'repair'))),
  );
  const { page, seen, close } = await open(browser, repaired, {
    viewport: { width: 360, height: 740 },
  });
  for (const id of ['key', 'spacetime', 'numbers', 'strip']) {
    await page.click(`nav [data-view=${id}]`);
    await settle(page);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, id);
  }
  assert.deepEqual(seen.errors, []);
  await close();
});

test('what the program embeds is what src builds to', { skip }, async () => {
  const built = join(folder, 'dist');
  const page = join(root, 'reports', 'page');
  const done = spawnSync('node', ['scripts/build.mjs', built], { cwd: page, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  for (const file of ['page.js', 'page.css'])
    assert.equal(
      readFileSync(join(built, file), 'utf8'),
      readFileSync(join(page, 'dist', file), 'utf8'),
      `${file}: npm run build, and commit dist`,
    );
});
