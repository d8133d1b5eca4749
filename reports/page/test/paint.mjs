// How soon pages are there: milliseconds to the first paint, the median of five.
//
//   node test/paint.mjs PAGE.html...
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { statSync } from 'node:fs';
import { launch, open, settle } from './page.mjs';

const browser = await launch();
for (const file of process.argv.slice(2)) {
  const times = [];
  for (let i = 0; i < 5; ++i) {
    const { page, close } = await open(browser, pathToFileURL(resolve(file)).href);
    await settle(page);
    times.push(
      await page.evaluate(
        () => performance.getEntriesByName('first-contentful-paint')[0].startTime,
      ),
    );
    await close();
  }
  times.sort((a, b) => a - b);
  console.log(`${file}: ${statSync(file).size} bytes, first paint ${times[2].toFixed(0)} ms`);
}
await browser.close();
