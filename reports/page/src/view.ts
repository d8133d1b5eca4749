// What the page asks of a view.

import type { Store } from './state';
import type { Timeline } from './timeline';

export interface View {
  id: string;
  title: string;
  element: HTMLElement;
  /** Follows the state. */
  update(): void;
  /** For panning and zooming with keys. */
  timeline?: Timeline;
  /** Moments that the cursor steps through with shift. */
  moments?(): number[];
}

export type Make<D> = (data: D, store: Store) => View;
