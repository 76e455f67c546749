import { createReadStream } from 'node:fs';
import { Controller, Get, Header, Inject, Param, StreamableFile } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import { Digest } from '#libs/protocol';
import { COORDINATOR, type Coordinator } from '../coordinator.js';

/** Parts of releases by hash: headers, domains, columns, receipts. Everything the coordinator keeps as a blob is public and never changes. */
@Controller('v1/blobs')
export class BlobsController {
  constructor(@Inject(COORDINATOR) private readonly coordinator: Coordinator) {}

  @Get(':hash')
  @Header('cache-control', 'public, max-age=31536000, immutable')
  @Header('x-content-type-options', 'nosniff')
  async blob(@Param('hash') name: string): Promise<StreamableFile> {
    const hash = Digest.safeParse(name);
    if (!hash.success || !(await this.coordinator.blobs.has(hash.data))) {
      throw new ConcordatError('not-found', 'there is no blob of this hash');
    }
    return new StreamableFile(createReadStream(this.coordinator.blobs.path(hash.data)), {
      type: 'application/octet-stream',
    });
  }
}
