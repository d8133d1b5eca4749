// Takes a picture of every view, wide and narrow, light and dark, into test/shots.
import { fixture, launch, open, settle, shot, write_page } from './page.mjs';

const run = write_page('t0-t5', fixture('t0-t5.json')).url;
const views = [
  ['strip', run, ''],
  ['key', run, '#view=key&cursor=58869285838'],
  ['spacetime', run, '#view=spacetime'],
  ['numbers', run, '#view=numbers'],
  ['map', write_page('comparison', fixture('comparison.json')).url, '#pick=cassandra'],
  ['campaign', write_page('campaign', fixture('campaign.json')).url, ''],
];
const only = process.argv.slice(2);
const browser = await launch();
for (const [name, url, hash] of views) {
  if (only.length && !only.includes(name)) continue;
  for (const [size, viewport] of [
    ['desktop', { width: 1280, height: 900 }],
    ['phone', { width: 360, height: 740 }],
  ])
    for (const colorScheme of ['light', 'dark']) {
      const { page, seen, close } = await open(browser, url + hash, { viewport, colorScheme });
      await settle(page);
      await shot(page, `${name}-${size}-${colorScheme}`);
      if (seen.errors.length) console.error(name, size, colorScheme, seen.errors);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) console.error(name, size, `is ${wide} pixels too wide`);
      await close();
    }
}
await browser.close();
