// SPDX-License-Identifier: MIT
// The pages as HTML text, for the build. Runs in Node on the same templates as the browser.
import { render } from '@lit-labs/ssr';
import { collectResult } from '@lit-labs/ssr/lib/render-result.js';
import { html } from 'lit/html.js';
import { accuracyPage, type Accuracy } from './accuracy';
import type { Answer, Replays, Schema } from './api';
import { formatsPage } from './formats';
import type { GalleryRow } from './gallery';
import { application, metaTags } from './meta';
import { methodPage } from './method';
import { page } from './page';
import { documentPage, indexPage } from './replays';
import { footer, header } from './shell';
import { drafts, sitemap, siteCard } from './shelving';
import { opened } from './state';
import { createView, sentence, tables, type Actions } from './view';
import { walkPage } from './walk';

export interface Leaf {
  path: string;
  title: string;
  description: string;
  data: { root: string; page: string; document: string };
  header: string;
  main: string;
  footer: string;
  /** For the head, as HTML. */
  head: string;
  /** The picture beside it, as SVG. */
  card?: string;
  oembed?: unknown;
}

/** lit's own markers are of no use to a page that is drawn afresh. */
async function text(template: unknown): Promise<string> {
  const raw = await collectResult(render(template));
  return raw
    .replace(/<!--\/?lit-[^>]*-->|<!--\?-->/g, '')
    .replace(/>\s+</g, '> <')
    .replace(/\s{2,}/g, ' ');
}

const kInert = new Proxy({}, { get: () => () => undefined }) as Actions;

export async function calculator(
  schema: Schema,
  answer: Answer,
): Promise<{ html: string; sentence: string }> {
  const view = createView(schema, opened(answer));
  return {
    html: await text(page(view, kInert)),
    sentence: sentence(tables(schema), answer, answer.summary),
  };
}

export { sitemap, siteCard };

/** The site as a whole: for the head of its first page. */
export function siteMeta(
  description: string,
  title: string,
  home: string,
  version: string,
): string {
  return `${metaTags({
    title,
    description,
    url: home,
    image: `${home}card.png`,
    alt: description,
    data: application(home, description, version),
  })}
    <link rel="manifest" href="./manifest.webmanifest" />
    <link rel="apple-touch-icon" href="./apple-touch-icon.png" />`;
}

/** The pages below s/. */
export async function shelf(
  schema: Schema,
  replays: Replays,
  rows: readonly GalleryRow[],
  estimate: (link: string) => Answer,
  home: string,
): Promise<Leaf[]> {
  const all = drafts(schema, replays, rows, estimate, home);
  return Promise.all(
    all.map(async ({ main, ...draft }) => {
      const root = '../'.repeat(draft.path.split('/').length - 1);
      return {
        ...draft,
        data: { root, page: 'shelf', document: '' },
        header: await text(header(root, html``, draft.path)),
        main: await text(main),
        footer: await text(footer(root, schema)),
      };
    }),
  );
}

export async function leaves(
  schema: Schema,
  replays: Replays,
  answer: Answer,
  accuracy: Accuracy,
  home: string,
): Promise<Leaf[]> {
  const leaf = async (
    path: string,
    kind: string,
    title: string,
    description: string,
    main: (root: string) => unknown,
    document = '',
  ): Promise<Leaf> => {
    const root = '../'.repeat(path.split('/').length - 1);
    return {
      path,
      title,
      description,
      data: { root, page: kind, document },
      header: await text(header(root, html``, path)),
      main: await text(main(root)),
      footer: await text(footer(root, schema)),
      head: metaTags({
        title,
        description,
        url: home + path,
        image: `${home}card.png`,
        alt: description,
      }),
    };
  };
  return Promise.all([
    leaf(
      'replays/',
      'replays',
      'Replays',
      'Every calculation of four documents on the cost of large language models, redone beside the printed figure.',
      () => indexPage(replays),
    ),
    ...replays.documents.map((d) =>
      leaf(
        `replays/${d.id}/`,
        'replays',
        d.title,
        `The calculations of "${d.title}", redone live: the document's figure, ours, and why they differ.`,
        (root) => documentPage(replays, d.id, root),
        d.id,
      ),
    ),
    leaf(
      'flops/',
      'flops',
      'Where 6 N D comes from',
      'Six steps from one weight and one token to the FLOPs of training.',
      (root) => walkPage(answer, root, null),
    ),
    leaf(
      'formats/',
      'formats',
      'Number formats',
      'Sign, exponent and mantissa bits, range and precision of the number formats of deep learning.',
      (root) => formatsPage(schema, root),
    ),
    leaf(
      'accuracy/',
      'accuracy',
      'Accuracy',
      'Predicted against measured: step times, whole runs and memory that others published, by source and device, with the worst rows and why.',
      (root) => accuracyPage(accuracy, root),
    ),
    leaf(
      'method/',
      'method',
      'Method and sources',
      'How Envelope computes, what kinds of numbers it shows, and where its facts come from.',
      (root) => methodPage(schema, root),
    ),
  ]);
}
