import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConcordatError, sha256Hex } from '#libs/bytes';
import { IMMUTABLE, sendStored } from './stored-body.js';

/** Nothing but this origin: no inline script or style, no frame, no form, no plug-in. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Serves what tools/build-web.mjs wrote to `root`, from memory: one route per file, so no request ever names a path on
 * disk. Files below `assets/` carry their hash in the name and are immutable; pages are asked for again each time.
 * Throws `web-not-built` when there is no page.
 */
export function serveWeb(app: NestFastifyApplication, root: string): void {
  if (!existsSync(join(root, 'index.html'))) {
    throw new ConcordatError('web-not-built', 'the map page is not built: run npm run build');
  }
  const server = app.getHttpAdapter().getInstance();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(root, file));
    const body = {
      type,
      bytes,
      brotli: readFileSync(join(root, `${file}.br`)),
      hash: sha256Hex(bytes),
    };
    const url = `/${file.split(sep).join('/')}`;
    const cacheControl = url.startsWith('/assets/') ? IMMUTABLE : 'no-cache';
    const urls = url === '/index.html' ? ['/', url] : [url];
    for (const path of urls) {
      server.get(path, (request, reply) => {
        reply
          .header('Content-Security-Policy', CONTENT_SECURITY_POLICY)
          .header('Referrer-Policy', 'no-referrer')
          .header('Cross-Origin-Opener-Policy', 'same-origin');
        sendStored(reply, request.headers, body, cacheControl);
        return reply;
      });
    }
  }
}
