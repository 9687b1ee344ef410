// SPDX-License-Identifier: MIT
// A searchable list over catalog rows: an input with a listbox, as the ARIA practices describe it.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { live } from 'lit/directives/live.js';
import type { Field } from './api';
import { fromRow, plain, search, type Option } from './search';
import { answerOf, type Actions, type View } from './view';

export function options(view: Pick<View, 'schema' | 'state'>, field: Field): Option[] {
  const { schema } = view;
  switch (field.path) {
    case 'model.id': {
      const rows = schema.models.map(fromRow);
      const known = new Set(rows.map((r) => r.id));
      const own = [
        { id: 'by-size', label: 'By size', detail: 'only a parameter count' },
        { id: 'custom', label: 'Custom', detail: 'your own architecture' },
      ];
      return [...own.filter((o) => !known.has(o.id)), ...rows];
    }
    case 'gpu.id':
      return schema.accelerators.map(fromRow);
    case 'price.provider': {
      const gpu = answerOf(view).inputs['gpu.id'];
      const rows = schema.prices.filter((p) => p.accelerator === gpu);
      const providers = new Map(rows.map((p) => [p.provider, p.provider_name ?? p.provider]));
      const list = [...providers].map(([id, label]) => ({ id, label }));
      return [{ id: 'median', label: 'Median over providers' }, ...list].map(plain);
    }
    case 'states.recipe':
      return schema.recipes.map((r) => plain({ id: r.id, label: r.name }));
    case 'stack.id':
      return schema.stacks.map((r) => plain({ id: r.id, label: r.name }));
    default:
      return (field.choices ?? []).map(plain);
  }
}

const same = (option: Option, text: string) =>
  [option.id, option.label].some((t) => t.toLowerCase() === text.trim().toLowerCase());

export function combobox(
  view: View,
  actions: Actions,
  field: Field,
  described: string,
  bad: boolean,
): TemplateResult {
  const { path } = field;
  const all = options(view, field);
  const combo = view.combo?.path === path ? view.combo : null;
  const asked = view.state.patch[path];
  // Of a model that is worked out it is the family.
  const isFamily = answerOf(view).solved?.path === 'model.params' && path === 'model.id';
  const known = isFamily ? (asked ?? field.default) : answerOf(view).inputs[path];
  const value = String((bad ? asked : known) ?? '');
  const chosen = all.find((o) => o.id === value);
  const rows = combo ? search(all, combo.query) : [];
  const active = combo ? Math.min(combo.active, rows.length - 1) : -1;
  const list = `l-${path}`;
  const text = combo?.query || (combo && combo.active < 0 ? '' : (chosen?.label ?? value));

  const choose = (option: Option | undefined, input: HTMLInputElement) => {
    actions.combo(null);
    if (option) actions.edit(path, option.id);
    else if (input.value.trim() !== '') actions.edit(path, input.value.trim());
    actions.settle();
    input.select();
  };
  const open = (query = '', at = -1) => actions.combo({ path, query, active: at });
  const move = (to: number) => {
    if (!combo)
      return open(
        '',
        Math.max(
          0,
          all.findIndex((o) => o.id === value),
        ),
      );
    const next = rows.length ? (to + rows.length) % rows.length : -1;
    actions.combo({ ...combo, active: next });
    document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: 'nearest' });
  };

  return html`<span class="combo">
    <input
      type="text"
      role="combobox"
      id=${`f-${path}`}
      autocomplete="off"
      spellcheck="false"
      aria-autocomplete="list"
      aria-expanded=${combo ? 'true' : 'false'}
      aria-controls=${list}
      aria-activedescendant=${active >= 0 ? `${list}-${active}` : nothing}
      aria-describedby=${described || nothing}
      aria-invalid=${bad ? 'true' : nothing}
      .value=${live(text)}
      placeholder=${chosen?.label ?? 'Search'}
      @focus=${(e: Event) => (e.target as HTMLInputElement).select()}
      @mousedown=${() => {
        if (!combo)
          open(
            '',
            Math.max(
              0,
              all.findIndex((o) => o.id === value),
            ),
          );
      }}
      @input=${(e: Event) => {
        const text = (e.target as HTMLInputElement).value;
        open(text, text ? 0 : -1);
        const exact = all.find((o) => same(o, text));
        if (exact) actions.edit(path, exact.id);
      }}
      @blur=${(e: Event) => {
        if (!combo) return;
        const exact = all.find((o) => same(o, combo.query));
        if (combo.query && !exact) choose(undefined, e.target as HTMLInputElement);
        else actions.combo(null);
        actions.settle();
      }}
      @keydown=${(e: KeyboardEvent) => {
        const input = e.target as HTMLInputElement;
        if (e.key === 'ArrowDown') move(active + 1);
        else if (e.key === 'ArrowUp') move(active - 1);
        // Someone who types fast is ahead of the list on the screen.
        else if (e.key === 'Enter' && input.value !== text && input.value.trim() !== '')
          choose(search(all, input.value)[0], input);
        else if (e.key === 'Enter' && combo) choose(rows[active], input);
        else if (e.key === 'Escape' && combo) actions.combo(null);
        else return;
        e.preventDefault();
        e.stopPropagation();
      }}
    />
    <ul id=${list} role="listbox" aria-label=${field.label} ?hidden=${!combo}>
      ${
        combo
          ? rows.map(
              (o, i) =>
                html`<li
                  role="option"
                  id=${`${list}-${i}`}
                  aria-selected=${i === active ? 'true' : 'false'}
                  class=${o.id === value ? 'current' : ''}
                  @mousedown=${(e: Event) => e.preventDefault()}
                  @click=${(e: Event) =>
                    choose(
                      o,
                      (e.currentTarget as HTMLElement)
                        .closest('.combo')
                        ?.querySelector('input') as HTMLInputElement,
                    )}
                >
                  <span>${o.label}</span> <small>${o.detail}</small>
                </li>`,
            )
          : nothing
      }
      ${
        combo && rows.length === 0
          ? html`<li class="more" role="option" aria-disabled="true" aria-selected="false">
              Nothing found
            </li>`
          : nothing
      }
    </ul>
  </span>`;
}
