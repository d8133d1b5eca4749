// What the tests share: a page filled as the program fills it, and a browser that asks for nothing.
import { mkdtempSync, readFileSync, writeFileSync, existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rejoin-page-'));
const browsers = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];

export const fixture = (name) => JSON.parse(readFileSync(join(root, 'fixtures', name), 'utf8'));

/** The shell with everything in its place; the address of the file. */
export function write_page(name, data) {
  const part = (file) => readFileSync(join(root, file), 'utf8');
  const parts = {
    title: name,
    style: part('dist/page.css'),
    script: part('dist/page.js'),
    data: JSON.stringify(data).replaceAll('<', '\\u003c'),
  };
  const html = part('shell.html').replace(/\{\{(\w+)\}\}/g, (_, key) => parts[key]);
  const file = join(folder, `${name}.html`);
  writeFileSync(file, html);
  return { url: pathToFileURL(file).href, bytes: Buffer.byteLength(html) };
}

export async function launch() {
  const executablePath = browsers.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error('no Chromium: install it, or name it in CHROMIUM');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

/** A tab that records every request and every complaint. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const seen = { requests: [], errors: [] };
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.errors.push(message.text());
  });
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  // Generous: a busy machine is slow, and what is tested is not how fast it is.
  page.setDefaultTimeout(120_000);
  await page.goto(url, { waitUntil: 'domcontentloaded', timeout: 120_000 });
  await page.waitForSelector('.view');
  return { page, seen, close: () => context.close() };
}

/** Two frames: the state has reached the views. */
export const settle = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );

export async function shot(page, name) {
  const shots = join(root, 'test', 'shots');
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}
