import { Controller, type DynamicModule, Get, Inject, Module } from '@nestjs/common';
import { Witness, type WitnessedLog } from './witness.js';

/** For whoever runs or reads the audit: alive, and the newest checkpoint of every log. */
@Controller()
class WitnessController {
  constructor(@Inject(Witness) private readonly witness: Witness) {}

  @Get('healthz')
  health(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('v1/logs')
  logs(): { logs: WitnessedLog[] } {
    return { logs: this.witness.all() };
  }
}

@Module({})
class AppModule {}

/** Everything of the process, flat, over what was opened at its start. */
export function appModule(witness: Witness): DynamicModule {
  return {
    module: AppModule,
    controllers: [WitnessController],
    providers: [{ provide: Witness, useValue: witness }],
  };
}
