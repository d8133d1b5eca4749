// 200,000 messages: what is counted is frames and marks, not time, so that a slow machine changes nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { large } from '../fixtures/large.mjs';
import { launch, open, settle, write_page } from './page.mjs';

let browser;
let url;
before(async () => {
  browser = await launch();
  url = write_page('large', large(200_000)).url;
});
after(() => browser?.close());

const MARKS = 12_000; // what one frame may draw, whatever there is
const drawn = (page) => page.$eval('canvas', (c) => ({ ...c.dataset }));

test('panning draws one frame a move and never more than a screen holds', async () => {
  const { page, seen, close } = await open(browser, `${url}#view=spacetime`);
  await settle(page);
  const first = await drawn(page);
  assert.equal(first.level, 'density');
  assert.ok(Number(first.drawn) < MARKS, `${first.drawn} marks`);
  assert.match(
    await page.locator('.wide > .note').textContent(),
    /200,000 messages in view, drawn as densities/,
  );
  await page.keyboard.press('+');
  await settle(page);
  const before = Number((await drawn(page)).frames);
  const moves = 30;
  const most = await page.evaluate(async (n) => {
    const canvas = document.querySelector('canvas');
    let marks = 0;
    for (let i = 0; i < n; ++i) {
      // Several moves between two frames cost one frame.
      for (let k = 0; k < 5; ++k)
        dispatchEvent(new KeyboardEvent('keydown', { key: i < 15 ? ']' : '[' }));
      await new Promise(requestAnimationFrame);
      marks = Math.max(marks, Number(canvas.dataset.drawn));
    }
    return marks;
  }, moves);
  await settle(page);
  const frames = Number((await drawn(page)).frames) - before;
  assert.ok(frames >= moves / 2 && frames <= moves + 2, `${frames} frames for ${moves} moves`);
  assert.ok(most < MARKS, `${most} marks in a frame`);
  assert.deepEqual(seen.errors, []);
  await close();
});

test('closer, messages are drawn one by one', async () => {
  const { page, close } = await open(
    browser,
    `${url}#view=spacetime&from=300000000000&to=300300000000`,
  );
  await settle(page);
  const now = await drawn(page);
  assert.equal(now.level, 'messages');
  assert.ok(Number(now.drawn) > 50 && Number(now.drawn) < 200, now.drawn);
  await close();
});

test('the strip merges what is narrower than a pixel', async () => {
  const { page, seen, close } = await open(browser, url);
  await page.mouse.move(700, 260);
  await settle(page);
  assert.match(await page.locator('.tip').textContent(), /^node-\d at .*500 keys/);
  assert.deepEqual(seen.errors, []);
  await close();
});
