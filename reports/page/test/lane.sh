#!/bin/sh
# The tests of the page in a headless Chromium, with pages as the program REJOIN writes them. Status
# 77, skipped, where there is no node, no Chromium, or no node_modules (npm ci).
cd "$(dirname "$0")/.." || exit 1
command -v node >/dev/null || { echo 'skipped: there is no node'; exit 77; }
[ -d node_modules ] || { echo 'skipped: npm ci in reports/page was never run'; exit 77; }
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || [ -x /usr/bin/google-chrome ] ||
  { echo 'skipped: there is no Chromium'; exit 77; }
exec node --test test/*.test.mjs
