import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import type { Reply } from './stored-body.js';

const NOT_FOUND = new Set([
  'no-such-release',
  'no-such-layer',
  'no-such-resolution',
  'outside-grid',
]);

/** A refusal of the map routes as problem+json (RFC 9457): 404 for what does not exist, else 400. */
@Catch(ConcordatError)
export class ProblemFilter implements ExceptionFilter<ConcordatError> {
  catch({ code, message }: ConcordatError, host: ArgumentsHost): void {
    const status = NOT_FOUND.has(code) ? 404 : 400;
    host
      .switchToHttp()
      .getResponse<Reply>()
      .code(status)
      .header('Content-Type', 'application/problem+json')
      .header('Cache-Control', 'no-store')
      .send(
        // Bytes, because the framework adds a charset to text, and this media type has none.
        Buffer.from(
          JSON.stringify({
            type: 'about:blank',
            title: status === 404 ? 'Not Found' : 'Bad Request',
            status,
            code,
            detail: message,
          }),
        ),
      );
  }
}
