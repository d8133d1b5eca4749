// A decoded message or fact, `Name{a: 1, b: {c: 2}}`, as a list of its fields.

import { h } from './dom';

/** Splits at commas that stand in no bracket and no string. */
export function fields(text: string): [string, string][] {
  const out: [string, string][] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  const push = (to: number): void => {
    const part = text.slice(from, to).trim();
    const colon = part.indexOf(': ');
    if (part) out.push(colon < 0 ? ['', part] : [part.slice(0, colon), part.slice(colon + 2)]);
    from = to + 1;
  };
  for (let i = 0; i < text.length; ++i) {
    const c = text[i];
    if (c === '"' && text[i - 1] !== '\\') quoted = !quoted;
    if (quoted) continue;
    if (c === '{' || c === '[') ++depth;
    if (c === '}' || c === ']') --depth;
    if (c === ',' && depth === 0) push(i);
  }
  push(text.length);
  return out;
}

export function decoded(text: string): HTMLElement {
  const open = text.indexOf('{');
  if (open < 0 || !text.endsWith('}')) return h('p', {}, text);
  const list = fields(text.slice(open + 1, -1));
  if (list.length === 0) return h('p', { class: 'note' }, 'no fields');
  return h('dl', {}, ...list.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}
