import { Controller, Get } from '@nestjs/common';

/** Liveness for whoever runs the process. */
@Controller()
export class HealthController {
  @Get('healthz')
  health(): { status: 'ok' } {
    return { status: 'ok' };
  }
}
