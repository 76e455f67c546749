import { Controller, type DynamicModule, Get, Inject, Module } from '@nestjs/common';
import { bytesToHex } from '#libs/bytes';
import { readFromDirectory, type Witness } from '#libs/journal';
import {
  PublishedLogController,
  publishedLog,
  RequestVerifier,
  RotateKeysController,
  TURN_KEYS,
  type TurnKeys,
} from '#libs/nest-kit';
import { logVerifierKeys, type Manifest } from '#libs/protocol';
import { SEALING, type Sealing } from './sealing/sealing.js';
import { SeedsController } from './sealing/seeds.controller.js';

/** What the auditor knows of one log. */
interface WitnessedLogView {
  readonly origin: string;
  readonly size: string;
  readonly root: string;
}

const LOGS = Symbol('Logs');

/** For whoever reads the audit: the newest checkpoint of every log that it cosigned. */
@Controller()
class WitnessController {
  constructor(@Inject(LOGS) private readonly seen: () => WitnessedLogView[]) {}

  @Get('v1/logs')
  logs(): { logs: WitnessedLogView[] } {
    return { logs: this.seen() };
  }
}

@Module({})
class AppModule {}

/** Everything of the process, flat, over what was opened at its start. */
export function appModule(
  witness: Witness,
  pinned: { readonly manifest: Manifest },
  logDir: string,
  sealing: Sealing,
  verifier: RequestVerifier,
  turnKeys: TurnKeys,
): DynamicModule {
  const seen = (): WitnessedLogView[] =>
    [...logVerifierKeys(pinned.manifest).keys()].flatMap((origin) => {
      const latest = witness.latest(origin);
      return latest ? [{ origin, size: String(latest.size), root: bytesToHex(latest.root) }] : [];
    });
  return {
    module: AppModule,
    controllers: [WitnessController, PublishedLogController, SeedsController, RotateKeysController],
    providers: [
      { provide: LOGS, useValue: seen },
      publishedLog(readFromDirectory(logDir)),
      { provide: SEALING, useValue: sealing },
      { provide: RequestVerifier, useValue: verifier },
      { provide: TURN_KEYS, useValue: turnKeys },
    ],
  };
}
