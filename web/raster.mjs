// SPDX-License-Identifier: MIT
// SVG to PNG at build time, without a browser and with a font of its own: the same picture everywhere.
import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';

const require = createRequire(import.meta.url);
const kFonts = ['400Regular/Inter_400Regular.ttf', '700Bold/Inter_700Bold.ttf'].map((file) =>
  require.resolve(`@expo-google-fonts/inter/${file}`),
);

/** `width` in pixels, where it is another than the picture's own. */
export function png(svg, width) {
  const picture = new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles: kFonts, defaultFontFamily: 'Inter' },
    ...(width ? { fitTo: { mode: 'width', value: width } } : {}),
  });
  return picture.render().asPng();
}
