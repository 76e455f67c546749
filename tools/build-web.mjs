/**
 * Bundles apps/web into dist/web: index.html, hashed scripts and styles, MapLibre's worker as a file of this origin, the
 * basemap; each also brotli-compressed. The page asks no other host for anything.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { basemap } from './basemap.mjs';

const root = new URL('../', import.meta.url);
const out = new URL('dist/web/', root);
const path = (relative) => fileURLToPath(new URL(relative, root));

rmSync(out, { recursive: true, force: true });
mkdirSync(new URL('assets/', out), { recursive: true });

/** Writes a file and its brotli form; answers its URL. */
function emit(name, contents) {
  const bytes = Buffer.from(contents);
  writeFileSync(new URL(name, out), bytes);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 9,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  writeFileSync(new URL(`${name}.br`, out), brotliCompressSync(bytes, { params }));
  return `/${name}`;
}

function emitHashed(stem, extension, contents) {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 10);
  return emit(`assets/${stem}-${hash}.${extension}`, contents);
}

/** One entry point to one script and one style sheet. */
async function bundle(stem, entryPoint, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [path(entryPoint)],
    outdir: path('dist/web/assets'),
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['source', 'browser', 'import'],
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  });
  const url = (extension) => {
    const file = outputFiles.find((f) => f.path.endsWith(`.${extension}`));
    return file && emitHashed(stem, extension, file.contents);
  };
  return { script: url('js'), style: url('css') };
}

const page = ({ title, script, style, data = {} }) => `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${title}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<div id="app"${Object.entries(data)
  .map(([name, value]) => ` data-${name}="${value}"`)
  .join('')}></div>
<noscript>This page draws a map and needs JavaScript. The same numbers are at <a href="/v1/releases">/v1/releases</a>.</noscript>
</body>
</html>
`;

const map = await bundle('map', 'apps/web/src/main.tsx', {
  jsx: 'automatic',
  jsxImportSource: 'preact',
});
const worker = emitHashed(
  'maplibre-worker',
  'js',
  readFileSync(path('node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs')),
);
const background = emitHashed('basemap', 'json', JSON.stringify(basemap()));
emit('favicon.svg', readFileSync(path('apps/web/src/favicon.svg')));
emit(
  'index.html',
  page({
    title: 'Concordat: crime concentrations',
    ...map,
    data: { worker, basemap: background },
  }),
);
