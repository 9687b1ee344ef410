// SPDX-License-Identifier: MIT
// Puts the parts of the page on the screen: each when what it reads has changed, and at first in place
// of what was built.
import { render } from 'lit/html.js';
import { kParts, type Part } from './page';
import { isStale } from './state';
import type { Actions, View } from './view';

const place = (id: string) => document.getElementById(id) as HTMLElement;

/** Between two of these the browser may paint and listen. */
export const breathe = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

/** What was typed into a built part before it came alive is not lost. */
function typedEarly(part: HTMLElement): [string, string][] {
  return [...part.querySelectorAll<HTMLInputElement>('input[id^="f-"]')]
    .filter((i) => i.type === 'text' && i.value !== i.defaultValue)
    .map((i) => [i.id.slice(2), i.value]);
}

export interface Drawing {
  draw(): void;
  enliven(asBuilt: boolean): Promise<void>;
}

export function createDrawing(now: () => View, actions: Actions): Drawing {
  const alive = new Set<string>();
  const drawn = new Map<string, readonly unknown[]>(); // what each living part was drawn from

  function put(part: Part): void {
    if (!alive.has(part.id)) place(part.id).replaceChildren();
    alive.add(part.id);
    render(part.draw(now(), actions), place(part.id));
  }

  function draw(): void {
    const view = now();
    for (const part of kParts) {
      const before = drawn.get(part.id);
      const read = part.reads(view);
      if (!before || read.every((x, i) => x === before[i])) continue;
      drawn.set(part.id, read);
      put(part);
    }
    place('main').classList.toggle('stale', isStale(view.state));
  }

  /**
   * Puts the living parts in place of the built ones, top to bottom; they look the same. Those that are
   * only links stay as built when the built scenario is shown.
   */
  async function enliven(asBuilt: boolean): Promise<void> {
    const built = now();
    for (const part of kParts) {
      if (part.inert && asBuilt) {
        drawn.set(part.id, part.reads(built));
        continue;
      }
      await breathe();
      drawn.set(part.id, part.reads(now()));
      const early = typedEarly(place(part.id));
      const focused = place(part.id).contains(document.activeElement) && document.activeElement?.id;
      put(part);
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      for (const [path, text] of early) actions.edit(path, text);
    }
    draw(); // what has changed meanwhile
    document.documentElement.dataset.state = 'live';
  }

  return { draw, enliven };
}
