// A comparison, a campaign, a page that was written wrongly, and text that means to be markup.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fixture, launch, open, settle, write_page } from './page.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test('the decision map shows every strategy, and hollow the one that broke a promise', async () => {
  const data = fixture('comparison.json');
  const { page, seen, close } = await open(browser, write_page('comparison', data).url);
  const names = await page
    .locator('.strategy')
    .evaluateAll((all) => all.map((g) => g.dataset.strategy));
  assert.deepEqual(names.sort(), data.strategies.map((s) => s.name).sort());
  assert.equal(await page.locator('.strategy .hollow').count(), 1);
  await page.locator('[data-strategy=merkle]').focus();
  await page.keyboard.press('Enter');
  await settle(page);
  assert.match(await page.locator('.details h3').textContent(), /merkle/);
  assert.match(await page.locator('.differences tr').first().textContent(), /repair bytes\+/);
  await page.selectOption('.details select', '3');
  assert.match(
    await page.locator('.details .command code').textContent(),
    /--sync merkle .*--seed 4$/,
  );
  await page.locator('thead button', { hasText: 'repair bytes' }).click();
  const first = page.locator('.table').first().locator('tbody th').first();
  assert.equal(await first.textContent(), 'merkle');
  await page.selectOption('select[aria-label=cell]', '1');
  await settle(page);
  assert.deepEqual(seen.errors, []);
  await close();
});

test('a campaign gives each failure a command, and says what never happened', async () => {
  const data = fixture('campaign.json');
  const { page, seen, close } = await open(browser, write_page('campaign', data).url);
  const commands = await page.locator('.failure code').allTextContents();
  assert.deepEqual(commands.sort(), data.failures.map((f) => f.command).sort());
  assert.equal(await page.locator('.coverage td', { hasText: 'never' }).count(), 1);
  assert.equal(await page.locator('.planted').count(), data.planted.length);
  assert.deepEqual(seen.errors, []);
  await close();
});

test('text from a scenario stays text', async () => {
  const data = fixture('t0-t5.json');
  data.about =
    '</script><script>window.broke = true</script><img src=x onerror="window.broke = true">';
  data.labels[0].what = data.about;
  const { page, seen, close } = await open(browser, write_page('markup', data).url);
  assert.equal(await page.evaluate(() => window.broke), undefined);
  assert.equal(await page.locator('.about').first().textContent(), data.about);
  assert.deepEqual(seen.errors, []);
  await close();
});

test('an empty run is shown without complaint', async () => {
  const data = fixture('t0-t5.json');
  const none = (columns) => Object.fromEntries(Object.keys(columns).map((name) => [name, []]));
  Object.assign(data, {
    operations: [],
    stores: [],
    violations: [],
    ghosts: [],
    keys: [],
    labels: [],
  });
  data.messages = none(data.messages);
  data.facts = none(data.facts);
  const { page, seen, close } = await open(browser, write_page('empty', data).url);
  for (const key of ['2', '3', '4', '1']) {
    await page.keyboard.press(key);
    await settle(page);
  }
  assert.deepEqual(seen.errors, []);
  await close();
});

test('a page without the document says so', async () => {
  const { url } = write_page('nothing', null);
  const page = await browser.newPage();
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  assert.match(await page.locator('#page').textContent(), /cannot be shown/);
  await page.close();
});
