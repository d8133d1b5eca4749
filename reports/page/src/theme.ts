// Light and dark. Colours are CSS variables; canvases ask for them here.

const root = document.documentElement;
const media = matchMedia('(prefers-color-scheme: dark)');
let chosen = false;

// The attribute is always set, so that the style sheet holds the dark palette once.
const follow = (): void => {
  root.dataset.theme = media.matches ? 'dark' : 'light';
};
follow();
let known = new Map<string, string>();
let listeners: (() => void)[] = [];

export function colour(name: string): string {
  let value = known.get(name);
  if (value === undefined) {
    value = getComputedStyle(root).getPropertyValue(`--${name}`).trim();
    known.set(name, value);
  }
  return value;
}

export function toggle_theme(): void {
  chosen = true;
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  changed();
}

export function on_theme(listener: () => void): void {
  listeners.push(listener);
}

function changed(): void {
  known = new Map();
  for (const listener of listeners) listener();
}
media.addEventListener('change', () => {
  if (chosen) return;
  follow();
  changed();
});

/** How bad: 0 is calm, 1 the worst of this run. */
export function heat(share: number): string {
  if (share <= 0) return colour('calm');
  const step = Math.min(4, Math.floor(Math.sqrt(share) * 4.999));
  return colour(`heat-${step}`);
}

/** A colour for a thing with a name; the same name has the same colour on every page. */
export function hue(index: number): string {
  return colour(`hue-${((index % 8) + 8) % 8}`);
}
