/**
 * `node tools/build-web.mjs [folder]` bundles apps/web into dist/web or that folder: index.html, hashed scripts and styles, MapLibre's worker as a file of this origin, the
 * basemap; and GraphiQL as a page of its own. Each file also brotli-compressed. No page asks another host for anything.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { basemap } from './basemap.mjs';

const root = new URL('../', import.meta.url);
const path = (relative) => fileURLToPath(new URL(relative, root));
const out = pathToFileURL(`${resolve(process.argv[2] ?? path('dist/web'))}/`);

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

/** One entry point to scripts and a style sheet whose names carry their hash; answers the URLs a page needs. */
async function bundle(entryPoint, options = {}) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: path('.'),
    entryPoints: [entryPoint],
    outdir: fileURLToPath(out),
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
  });
  for (const { path: file, contents } of outputFiles)
    emit(relative(fileURLToPath(out), file), contents);
  const [script, { cssBundle }] = Object.entries(metafile.outputs).find(
    ([, output]) => output.entryPoint === entryPoint,
  );
  const urlOf = (file) => `/assets/${basename(file)}`;
  return { script: urlOf(script), style: urlOf(cssBundle) };
}

const page = ({ title, script, style, scheme, data = {} }) => `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${scheme}">
<title>${title}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<div id="app"${Object.entries(data)
  .map(([name, value]) => ` data-${name}="${value}"`)
  .join('')}></div>
<noscript>This page needs JavaScript. The same numbers are at <a href="/v1/releases">/v1/releases</a>.</noscript>
</body>
</html>
`;

const map = await bundle('apps/web/src/main.tsx', {
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // '#libs/grid' as its TypeScript, through package.json "imports"
  conditions: ['source', 'browser', 'import'],
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
    scheme: 'light dark',
    data: { worker, basemap: background },
  }),
);

/** GraphiQL brings its typefaces as data in its style sheet: 260 kB, and against our policy. The system's own serve. */
const withoutTypefaces = {
  name: 'without-typefaces',
  setup({ onLoad }) {
    onLoad({ filter: /graphiql\/dist\/style\.css$/ }, ({ path: file }) => ({
      contents: readFileSync(file, 'utf8').replace(/@font-face\s*\{[^}]*\}/g, ''),
      loader: 'css',
    }));
  },
};
const graphiql = await bundle('apps/web/src/graphiql.tsx', {
  jsx: 'automatic',
  // One copy of graphql, or schema types of one are foreign to the other.
  alias: { graphql: path('node_modules/graphql/index.mjs') },
  plugins: [withoutTypefaces],
});
emit('graphiql.html', page({ title: 'Concordat: GraphiQL', ...graphiql, scheme: 'light' }));
