// A run, as people use it: it opens by itself, and leads from a stale read to the write it missed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fixture, launch, open, settle, write_page } from './page.mjs';

let browser;
let url;
const data = fixture('t0-t5.json');
before(async () => {
  browser = await launch();
  url = write_page('t0-t5', data).url;
});
after(() => browser?.close());

const param = (page, name) =>
  page.evaluate((n) => new URLSearchParams(location.hash.slice(1)).get(n), name);
const view = (page) => page.locator('nav [aria-current]').getAttribute('data-view');

test('a page opens from a file, asks for nothing and complains of nothing', async () => {
  const { page, seen, close } = await open(browser, url);
  for (const id of ['key', 'spacetime', 'numbers', 'strip']) {
    await page.click(`nav [data-view=${id}]`);
    await settle(page);
    assert.equal(await view(page), id);
  }
  assert.deepEqual(seen.errors, []);
  assert.deepEqual(
    seen.requests.filter((r) => !r.startsWith('file:') && !r.startsWith('data:')),
    [],
  );
  assert.equal(seen.requests.filter((r) => r.startsWith('file:')).length, 1);
  await close();
});

test('the steps T0 to T5 are shown with what each node held', async () => {
  const { page, close } = await open(browser, url);
  const rows = page.locator('table tbody tr');
  assert.deepEqual(await rows.locator('th').allTextContents(), [
    'T0',
    'T1',
    'T2',
    'T3',
    'T4',
    'T5',
  ]);
  assert.match(await rows.nth(5).textContent(), /100 keys, 50 missing/);
  assert.match(await rows.nth(1).textContent(), /down, 100 keys on disk/);
  await close();
});

test('a click on the stale read leads to the write that it missed', async () => {
  const { page, close } = await open(browser, url);
  await page.locator('.stale-read').click();
  await settle(page);
  assert.equal(await view(page), 'key');
  assert.equal(await param(page, 'cursor'), '58869285838');
  assert.equal(await page.locator('.missed').getAttribute('data-missed'), 'client-1/125');
  assert.match(await page.locator('.finding').textContent(), /never reached it/);
  await page.goBack();
  await settle(page);
  assert.equal(await view(page), 'strip');
  await close();
});

test('the causal past of the violation comes first, and filters narrow and widen it', async () => {
  const { page, close } = await open(browser, `${url}#view=spacetime`);
  const note = page.locator('.wide > .note');
  assert.match(await note.textContent(), /^6 messages in view/);
  assert.match(await note.textContent(), /4,049 messages and [\d,]+ facts are not in this page/);
  await page.locator('[aria-label=show] [data-value=all]').click();
  await page.fill('.bar input[aria-label=key]', '');
  await page.locator('.bar input[aria-label=key]').blur();
  await settle(page);
  assert.match(
    await note.textContent(),
    new RegExp(`^${data.messages.sent.length} messages in view`),
  );
  await page.click('[data-purpose=consensus]');
  await settle(page);
  const consensus = data.purposes.indexOf('consensus');
  const left = data.messages.purpose.filter((p) => p !== consensus).length;
  assert.match(await note.textContent(), new RegExp(`^${left} messages in view`));
  await page.selectOption('select[aria-label=host]', 'node-3');
  await settle(page);
  const node = data.hosts.indexOf('node-3');
  const m = data.messages;
  const of_it = m.purpose.filter(
    (p, i) => p !== consensus && (m.from[i] === node || m.to[i] === node),
  );
  assert.match(await note.textContent(), new RegExp(`^${of_it.length} messages in view`));
  await close();
});

test('a link opens what it was copied from', async () => {
  const first = await open(browser, url);
  await first.page.click('nav [data-view=spacetime]');
  await first.page.click('[data-purpose=membership]');
  await first.page.locator('[aria-label=axis] [data-value=order]').click();
  await settle(first.page);
  await first.page.waitForFunction(() => location.hash.includes('order'));
  const link = first.page.url();
  await first.close();
  const second = await open(browser, link);
  assert.equal(await view(second.page), 'spacetime');
  assert.equal(
    await second.page.locator('[data-purpose=membership]').getAttribute('aria-pressed'),
    'false',
  );
  assert.equal(
    await second.page.locator('[data-value=order]').getAttribute('aria-pressed'),
    'true',
  );
  await second.close();
  const broken = await open(browser, `${url}#view=nothing&cursor=x&key=%E0%A4%A&axis=up`);
  assert.equal(await view(broken.page), 'strip');
  assert.deepEqual(broken.seen.errors, []);
  await broken.close();
});

test('a chosen message is decoded, with what came before it', async () => {
  const { page, close } = await open(browser, url);
  const i = data.messages.kind.findIndex(
    (k, at) => data.kinds[k] === 'ReplicaWrite' && data.keys[data.messages.key[at]] === 'key-125',
  );
  await page.evaluate((at) => (location.hash = `view=spacetime&pick=m${at}`), i);
  await settle(page);
  const details = page.locator('.details');
  await details.locator('dt', { hasText: 'owners' }).waitFor();
  assert.match(await details.textContent(), /ReplicaWrite/);
  assert.match(
    await details.locator('.causes li').first().textContent(),
    /ClientRequest, client-1 to node-1/,
  );
  await close();
});

test('keys move the cursor, change views, search, and say what they do', async () => {
  const { page, close } = await open(browser, url);
  await page.keyboard.press('Shift+ArrowRight');
  await settle(page);
  assert.match(await page.locator('.now').textContent(), /node-1: /);
  await page.waitForFunction(() => location.hash.includes('cursor=30000000000'));
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => location.hash.includes('cursor=306'));
  await page.keyboard.press('3');
  await settle(page);
  assert.equal(await view(page), 'spacetime');
  await page.keyboard.press('?');
  assert.ok(await page.locator('dialog.help').isVisible());
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.keyboard.type('key-7');
  await page.keyboard.press('Enter');
  await settle(page);
  assert.equal(await view(page), 'key');
  assert.equal(await param(page, 'key'), 'key-7');
  const before = await page.evaluate(() => document.documentElement.dataset.theme);
  await page.keyboard.press('d');
  assert.notEqual(await page.evaluate(() => document.documentElement.dataset.theme), before);
  await close();
});

test('nothing is wider than a phone, in any view', async () => {
  const { page, close } = await open(browser, url, { viewport: { width: 360, height: 740 } });
  for (const id of ['strip', 'key', 'spacetime', 'numbers']) {
    await page.click(`nav [data-view=${id}]`);
    await settle(page);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, id);
  }
  await close();
});
