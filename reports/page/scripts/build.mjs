// Makes dist/page.js and dist/page.css from src.
import { build } from 'esbuild';

await build({
  entryPoints: [
    { in: 'src/main.ts', out: 'page' },
    { in: 'src/page.css', out: 'page' },
  ],
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2023',
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
});
