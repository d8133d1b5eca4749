// Makes dist/page.js and dist/page.css from src; in another folder, if one is named.
import { build } from 'esbuild';

await build({
  entryPoints: [
    { in: 'src/main.ts', out: 'page' },
    { in: 'src/page.css', out: 'page' },
  ],
  outdir: process.argv[2] ?? 'dist',
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2023',
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
});
