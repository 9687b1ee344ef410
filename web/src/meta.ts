// SPDX-License-Identifier: MIT
// What machines read about a page: search engines, feeds, and sites that turn an address into an embed.
import { kCardHeight, kCardWidth } from './card';
import { kViews } from './embed/views';
import type { Fact, Facts } from './facts';
import { escaped, iframeSnippet, type Embedding } from './snippets';

const kName = 'Envelope';
const kLicence = 'https://opensource.org/license/mit';
const kEmbedWidth = 640; // px

export interface About {
  title: string;
  description: string;
  /** Absolute. */
  url: string;
  image: string;
  /** What the picture shows, for those who do not see it. */
  alt: string;
  oembed?: string;
  /** Structured data, as schema.org has it. */
  data?: unknown;
}

/** A data block, which no browser runs. A text in it cannot end it. */
const block = (data: unknown): string =>
  `<script type="application/ld+json">${JSON.stringify(data).replace(/</g, '\\u003c')}</script>`;

/** For the head of a page. */
export function metaTags(about: About): string {
  const properties: [string, string, string | number][] = [
    ['property', 'og:type', 'website'],
    ['property', 'og:site_name', kName],
    ['property', 'og:title', about.title],
    ['property', 'og:description', about.description],
    ['property', 'og:url', about.url],
    ['property', 'og:image', about.image],
    ['property', 'og:image:width', kCardWidth],
    ['property', 'og:image:height', kCardHeight],
    ['property', 'og:image:alt', about.alt],
    ['name', 'twitter:card', 'summary_large_image'],
  ];
  return [
    `<link rel="canonical" href="${escaped(about.url)}" />`,
    ...properties.map(
      ([kind, name, text]) => `<meta ${kind}="${name}" content="${escaped(String(text))}" />`,
    ),
    about.oembed
      ? `<link rel="alternate" type="application/json+oembed" href="${escaped(about.oembed)}" title="${escaped(about.title)}" />`
      : '',
    about.data ? block(about.data) : '',
  ]
    .filter(Boolean)
    .join('\n    ');
}

type Measured = Pick<Fact, 'label' | 'value' | 'unit'> & { id: string };
const property = ({ id, label, value, unit }: Measured) => ({
  '@type': 'PropertyValue',
  propertyID: id,
  name: label,
  value,
  unitText: unit,
});

export interface Structured {
  url: string;
  title: string;
  description: string;
  image: string;
  home: string;
  month: string;
  version: string;
  facts: readonly Measured[];
  /** The document whose calculation is redone. */
  basedOn?: { name: string; author: string; url: string };
}

/** A page about a small table of numbers. */
export function webPage(of: Structured): unknown {
  const { url, title, description, image, home, month, version, facts, basedOn } = of;
  const creator = { '@type': 'Organization', name: kName, url: home };
  return {
    '@context': 'https://schema.org',
    '@type': 'WebPage',
    url,
    name: title,
    description,
    inLanguage: 'en',
    primaryImageOfPage: image,
    isPartOf: { '@type': 'WebSite', name: kName, url: home },
    mainEntity: {
      '@type': 'Dataset',
      name: title,
      description,
      url,
      version: `${version}, data of ${month}`,
      license: kLicence,
      creator,
      isAccessibleForFree: true,
      variableMeasured: facts.map(property),
      ...(basedOn
        ? {
            isBasedOn: {
              '@type': 'CreativeWork',
              name: basedOn.name,
              ...(basedOn.author ? { author: basedOn.author } : {}),
              ...(basedOn.url ? { url: basedOn.url } : {}),
            },
          }
        : {}),
    },
  };
}

/** The calculator itself. */
export function application(url: string, description: string, version: string): unknown {
  return {
    '@context': 'https://schema.org',
    '@type': 'WebApplication',
    name: kName,
    url,
    description,
    applicationCategory: 'DeveloperApplication',
    operatingSystem: 'Any',
    softwareVersion: version,
    license: kLicence,
    offers: { '@type': 'Offer', price: 0, priceCurrency: 'USD' },
  };
}

/** https://oembed.com, 2.3.4: what a site needs to show the page at `url` as a live frame. */
export function oembed(facts: Facts, title: string, image: string, options: Embedding): unknown {
  const { narrow: height } = kViews[options.view ?? 'card']; // as in the frame itself
  return {
    version: '1.0',
    type: 'rich',
    provider_name: kName,
    provider_url: options.home,
    title,
    html: iframeSnippet(facts, options).replace('width="100%"', `width="${kEmbedWidth}"`),
    width: kEmbedWidth,
    height,
    thumbnail_url: image,
    thumbnail_width: kCardWidth,
    thumbnail_height: kCardHeight,
  };
}
