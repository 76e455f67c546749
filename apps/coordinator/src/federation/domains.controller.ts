import { createReadStream } from 'node:fs';
import { Controller, Get, Header, Inject, Param, StreamableFile } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import { COORDINATOR, type Coordinator } from '../coordinator.js';

/** Public areas of the agencies by the hash that the manifest names: gzipped domain files, which whoever fetches one hashes again. */
@Controller('v1/domains')
export class DomainsController {
  constructor(@Inject(COORDINATOR) private readonly coordinator: Coordinator) {}

  @Get(':hash')
  @Header('cache-control', 'public, max-age=31536000, immutable')
  @Header('x-content-type-options', 'nosniff')
  domain(@Param('hash') hash: string): StreamableFile {
    const { federation } = this.coordinator;
    if (!federation.manifest.agencies.some(({ domain }) => domain === hash)) {
      throw new ConcordatError('not-found', 'no agency of the manifest has this domain');
    }
    return new StreamableFile(createReadStream(federation.domainPath(hash)), {
      type: 'application/gzip',
    });
  }
}
